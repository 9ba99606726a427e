"""Deployment: the deployable models of signed packages, and which of them is champion."""
