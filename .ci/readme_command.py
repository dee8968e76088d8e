"""Print the commands of the README's code block that follows `<!-- ci: NAME -->`."""

import re
import sys
from pathlib import Path

readme = Path(__file__).resolve().parent.parent / "README.md"
found = re.search(
    rf"<!-- ci: {re.escape(sys.argv[1])} -->\s*```sh\n(.*?)```", readme.read_text(), re.DOTALL
)
if found is None:
    sys.exit(f"{readme.name} has no code block marked {sys.argv[1]}")
print(found.group(1).strip())
