"""What the names of sessions, and of their roles, look like by what made them (§2.4).

A session's name is its caller's choice."""

from __future__ import annotations

import re

INSTANCE = re.compile(r"^i-[0-9a-f]{8,17}$")
HYBRID_NODE = re.compile(r"^mi-[0-9a-f]{8,17}$")
TASK = re.compile(r"^[0-9a-f]{32}$")
POD = re.compile(r"^eks-(.+)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
CODE_BUILD = re.compile(r"^AWSCodeBuild-[0-9a-f-]{36}$")
CLOUD_FORMATION = re.compile(r"^AWSCloudFormation$")
EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
SERVICE_ROLE = re.compile(r":role/aws-service-role/([\w.-]+)/")
