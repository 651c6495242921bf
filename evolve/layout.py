"""Where a run lives on disk, and where what the user did not provide is taken from. Paths only."""

from dataclasses import dataclass
from pathlib import Path

from evolve.disk import remedy
from harness.errors import StorageError, UsageError

DATABASE = "population.db"
SKIPPED = ("__pycache__",)


@dataclass(frozen=True)
class Layout:
    """`folder` is the user's; everything else follows from it."""

    folder: Path
    database: Path
    run: str

    @property
    def home(self) -> Path:
        return self.folder / "runs" / self.run

    @property
    def candidates(self) -> Path:
        return self.home / "candidates.git"

    @property
    def traces(self) -> Path:
        return self.home / "traces"

    @property
    def work(self) -> Path:
        return self.home / "work"

    @property
    def calls(self) -> Path:
        return self.home / "calls.db"

    @property
    def lock(self) -> Path:
        return self.home / "lock"

    def make(self) -> None:
        """Make the folders.

        Raises:
            StorageError: they cannot be made.
        """
        try:
            for folder in (self.traces, self.work):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot make {str(self.home)!r}: {error.strerror}. {remedy(error)}") from None

    def write_settings(self, text: str) -> None:
        """Put the settings of a new run beside it, for people; what counts is in the database.

        Raises:
            StorageError: the disk refuses.
        """
        place = self.home / "config.json"
        try:
            place.write_text(text + "\n", "utf-8")
        except OSError as error:
            raise StorageError(f"cannot write {str(place)!r}: {error.strerror}. {remedy(error)}") from None


def baseline_folder(folder: Path, domain: str = "cs") -> tuple[Path, str]:
    """The scaffold to start from, and where it is from in one line: the user's baseline_repo, else the embedded one.

    The user's is one scaffold, or holds one for each domain in a folder of its name, as ours does.

    Raises:
        UsageError: the user's has no agent.py, or is no folder; or the domain is one of the user's and has none.
    """
    own = folder / "baseline_repo"
    if (own.exists() or own.is_symlink()) and not own.is_dir():
        raise UsageError(
            f"{str(own)!r} is no folder; a scaffold is a folder with agent.py in it (`evolve init` writes one). Move "
            "this away to start from the embedded one"
        )
    if (own / domain / "agent.py").is_file():
        return own / domain, f"scaffold: baseline_repo/{domain}/ of this folder"
    if own.is_dir():
        if not (own / "agent.py").is_file():
            raise UsageError(
                f"{str(own)!r} has no agent.py; the scaffold's entry point is create(document, env) in it"
            )
        return own, "scaffold: baseline_repo/ of this folder"
    return embedded_scaffold(domain), f"scaffold: the embedded baseline of domain {domain}"


def embedded_scaffold(domain: str = "cs") -> Path:
    """The scaffold that comes with the tool: within the package, or beside it in a checkout.

    Raises:
        UsageError: none comes with that domain.
    """
    package = Path(__file__).resolve().parent
    shipped = package / "baseline_repo"
    found = (shipped if shipped.is_dir() else package.parent / "baseline_repo") / domain
    if not (found / "agent.py").is_file():
        raise UsageError(
            f"no scaffold comes with domain {domain!r}; write one in 'baseline_repo', see docs/domains.md"
        )
    return found


def scaffold_files(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, by its path relative to it; caches and hidden files left out.

    Raises:
        UsageError: one of them cannot be read.
    """
    try:
        files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        relative = {path.relative_to(folder): path for path in files}
        return {
            name.as_posix(): path.read_bytes()
            for name, path in relative.items()
            if not any(map(skipped, name.parts))
        }
    except OSError as error:
        raise UsageError(
            f"the scaffold's {error.filename!r} cannot be read: {error.strerror}. {remedy(error)}"
        ) from None


def skipped(part: str) -> bool:
    """Hidden files and folders, and caches, are not part of a scaffold."""
    return part.startswith(".") or part in SKIPPED
