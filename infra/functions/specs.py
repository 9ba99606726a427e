"""What each function needs: time, memory, and a name for people."""

from infra.functions.function import FunctionSpec

# Copying and streaming gigabytes may take Lambda's maximum time; memory determines CPU and network. It waits for
# KeepSignature: a new account has 10 executions at once in all, and if those that wait had them, none would be left.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
REGISTER = FunctionSpec(
    "register_model", "Completes submissions and registers them", timeout=900, memory=1024, at_once=5
)
SIGN = FunctionSpec("keep_signature", "Asks STS who signed a submission and keeps it", timeout=90, memory=512)
OPEN = FunctionSpec("open_validation", "Claims a package and lists its artifacts", timeout=60, memory=512)
# As much as a processor of its own takes; reading and hashing wait for the network.
KEEP = FunctionSpec("keep_artifact", "Copies an artifact to the vault and hashes it", timeout=900, memory=1769)
# More than one CPU, because inflating and scanning run in parallel; new accounts are limited to this memory.
INSPECT = FunctionSpec("inspect_artifact", "Inspects an artifact in the vault", timeout=900, memory=3008)
# Rows and answers are held in memory, a million of each at most.
EVALUATE = FunctionSpec("evaluate_model", "Has temporary models asked, and measures them", timeout=900, memory=3008)
RECORD = FunctionSpec("record_evidence", "Judges the findings and records the evidence", timeout=120, memory=512)
DECIDE = FunctionSpec("apply_decision", "Weighs decisions and applies those that stand", timeout=120, memory=512)
DEPLOY = FunctionSpec("create_model", "Makes the deployable models agree with the ledger", timeout=900, memory=1024)
SWEEP = FunctionSpec("sweep", "Moves on what lacks its next step", timeout=300, memory=512)
BASELINE = FunctionSpec("record_baseline", "Records the baselines that other stacks deploy", timeout=120, memory=512)
ANNOUNCE = FunctionSpec("announce", "Puts ledger entries on the bus and tells people of them", timeout=60, memory=256)
