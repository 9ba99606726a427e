"""Another team's CDK app."""
