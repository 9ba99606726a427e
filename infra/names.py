"""The names that others must know: tools, guardrails and the functions."""

# The path of all of Signoff's roles. Not a prefix of their names: anyone who may create roles could choose that, and
# a path is what IAM policies can reserve.
ROLES = "/signoff/"
# Where in SSM Parameter Store the policies lie.
POLICIES = "/signoff/policies"
# Where the ARN of each group's champion, a model, is published.
CHAMPIONS = "/signoff/champions"
# The bus, and the source of Signoff's own events: what carries it may be believed.
BUS = "signoff"
SOURCE = "signoff"
