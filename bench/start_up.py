"""How long `evolve --help` and `import evolve` take as whole processes, beside a bare interpreter.

python bench/start_up.py
"""

import argparse
import sys

from figures import process, script, tell


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--times", type=int, default=15)
    times = parser.parse_args().times
    return tell(
        [
            *process("a bare interpreter", [sys.executable, "-c", "pass"], times),
            *process("import evolve", [sys.executable, "-c", "import evolve"], times, 0.3),
            *process("evolve --help", [*script("evolve"), "--help"], times, 0.3),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
