"""`opa eval --format json --data FILE --stdin-input QUERY`, with regorus as the engine.

The policy and the query are read by a real Rego implementation; only the options and the form of
the answer are `opa`'s as its documentation has them.
"""

import json
import sys
from pathlib import Path

import regorus


def main() -> int:
    command, form, written, data, policy, given, query = sys.argv[1:]
    assert (command, form, written, data, given) == (
        "eval", "--format", "json", "--data", "--stdin-input",
    )  # fmt: skip
    engine = regorus.Engine()
    try:
        engine.add_policy(policy, Path(policy).read_text())
        engine.set_input_json(sys.stdin.read())
        sys.stdout.write(json.dumps(engine.eval_query(query)))
    except RuntimeError as error:
        sys.stdout.write(json.dumps({"errors": [{"message": str(error).strip()}]}))
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
