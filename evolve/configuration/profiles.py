"""What `evolve init` fills in for the usual kinds of endpoints. Data; the prices of a provider are the user's to look up."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from evolve.configuration.checking import DEFAULT, url_problem
from harness.errors import UsageError

Table = Mapping[str, object]
LOCAL_KEY = "MODEL_API_KEY"
FREE: dict[str, object] = {"input_price": 0.0, "output_price": 0.0}


@dataclass(frozen=True)
class Profile:
    """A kind of endpoint. about: in one line. models: settings by role or `default`; none: simulated.

    remarks: by role or `default`, what to know or do about it, written above its table.
    """

    name: str
    about: str
    models: Mapping[str, Table]
    remarks: Mapping[str, str]

    @property
    def keys(self) -> tuple[str, ...]:
        """The variables that hold its keys."""
        named = (str(table["key_variable"]) for table in self.models.values() if "key_variable" in table)
        return tuple(dict.fromkeys(named))


OPENAI = Profile(
    name="openai",
    about="models of the OpenAI API, or of a gateway that speaks as it does",
    models={
        DEFAULT: {
            "name": "gpt-5-mini",
            "base_url": "https://api.openai.com/v1",
            "key_variable": "OPENAI_API_KEY",
            "slots": 16,
            "sampling.max_tokens": 16384,
        },
        "weak": {"name": "gpt-5-nano"},
        "strong": {"name": "gpt-5"},
        "implementer": {"name": "gpt-5", "sampling.max_tokens": 32768},
    },
    remarks={
        DEFAULT: "Fill in the prices of each model from your provider's price list: without them a budget in dollars "
        "cannot hold. Reasoning models spend max_tokens on thoughts as well.",
    },
)
VLLM = Profile(
    name="vllm",
    about="your own vLLM servers, one for each model",
    models={
        DEFAULT: {
            "name": "Qwen/Qwen3-30B-A3B-Instruct-2507",
            "base_url": "http://127.0.0.1:8000/v1",
            "slots": 32,
            "sampling.max_tokens": 8192,
        }
        | FREE,
        "weak": {"name": "Qwen/Qwen3-4B-Instruct-2507", "base_url": "http://127.0.0.1:8001/v1"},
        "strong": {"name": "Qwen/Qwen3-30B-A3B-Instruct-2507"},
        "implementer": {"sampling.max_tokens": 16384},
    },
    remarks={
        DEFAULT: "  vllm serve Qwen/Qwen3-30B-A3B-Instruct-2507 --port 8000",
        "weak": "  vllm serve Qwen/Qwen3-4B-Instruct-2507 --port 8001",
    },
)
LLAMA = Profile(
    name="llama.cpp",
    about="your own llama.cpp servers, one for each model",
    models={
        DEFAULT: {
            "name": "Qwen3-30B-A3B-Instruct-2507-Q4_K_M",
            "base_url": "http://127.0.0.1:8080/v1",
            "slots": 4,
            "deadline": 900.0,
        }
        | FREE,
        "weak": {"name": "Qwen3-4B-Instruct-2507-Q4_K_M", "base_url": "http://127.0.0.1:8081/v1", "slots": 4},
        "strong": {"name": "Qwen3-30B-A3B-Instruct-2507-Q4_K_M"},
        "implementer": {"sampling.max_tokens": 16384},
    },
    remarks={
        DEFAULT: "  llama-server -m strong.gguf --port 8080 --parallel 4 --ctx-size 131072\n"
        "The parallel slots share the context. The server takes any name; write the model's, since it is recorded with "
        "each score.",
        "weak": "  llama-server -m weak.gguf --port 8081 --parallel 4 --ctx-size 65536",
    },
)
CUSTOM = Profile(
    name="custom",
    about="any other endpoint that speaks as the OpenAI API does",
    models={
        DEFAULT: {"name": "", "base_url": "", "key_variable": LOCAL_KEY},
        "weak": {"name": ""},
        "strong": {"name": ""},
        "implementer": {"sampling.max_tokens": 16384},
    },
    remarks={
        DEFAULT: "Fill in the prices of each model: without them a budget in dollars cannot hold. 0.0 is right for a "
        "server of your own.",
    },
)
SIMULATED = Profile(
    name="simulated",
    about="simulated models, which need no key and show the machinery alone",
    models={},
    remarks={},
)
SMALL = "smollm2"
LOCAL = Profile(
    name="local",
    about="a small real model on this machine for the solvers, the rest simulated",
    models={
        DEFAULT: {"simulated": True},
        "weak": {"simulated": False, "local": SMALL},
        "strong": {"simulated": False, "local": SMALL},
    },
    remarks={
        DEFAULT: "Simulated: they need no key and show the machinery alone.",
        "weak": "  evolve models fetch\n  pip install '.[local]'\n"
        "A path of a GGUF file may stand in place of the name. Weak and strong are the same model; what tells them apart "
        "is how the domain uses them.",
    },
)
PROFILES: Mapping[str, Profile] = MappingProxyType(
    {one.name: one for one in (OPENAI, VLLM, LLAMA, CUSTOM, LOCAL, SIMULATED)}
)


def chosen(name: str | None, base_url: str | None, model: str | None) -> Profile:
    """A profile with the endpoint and the model that the user names, for all roles alike.

    Without a name it is `custom` for an endpoint, `openai` for a model alone, else `simulated`.

    Raises:
        UsageError: the endpoint is no URL, or the profile needs what was not given, or has no use for it.
    """
    profile = PROFILES[name or ("custom" if base_url else "openai" if model else "simulated")]
    if base_url and (problem := url_problem(base_url)):
        raise UsageError(f"--base-url {problem}")
    if profile in (SIMULATED, LOCAL):
        if base_url or model:
            raise UsageError(f"--profile {profile.name} has no endpoint: leave out --base-url and --model")
        return profile
    if profile is CUSTOM and not (base_url and model):
        raise UsageError(
            "--profile custom needs --base-url and --model, such as http://127.0.0.1:8000/v1 and gpt-oss-20b"
        )
    return fitted(profile, base_url, model) if base_url or model else profile


def fitted(profile: Profile, base_url: str | None, model: str | None) -> Profile:
    """A profile with an endpoint or a model of the user's; how to start servers is no longer said."""
    remarks = {role: text for role, text in profile.remarks.items() if not text.startswith(" ")}
    models = {role: dict(table) for role, table in profile.models.items()}
    if base_url:
        models = {role: without(table, "base_url") for role, table in models.items()}
        models[DEFAULT]["base_url"] = base_url
        if base_url.startswith("http://"):
            models[DEFAULT] = without(models[DEFAULT], "key_variable")
    if model:
        models = {
            role: table | {"name": model} if "name" in table else table for role, table in models.items()
        }
        remarks["weak"] = "A weaker model than the strong one belongs here; now they are the same."
    return replace(profile, models=models, remarks=remarks)


def without(table: Table, key: str) -> dict[str, object]:
    """A table without one of its keys."""
    return {name: value for name, value in table.items() if name != key}
