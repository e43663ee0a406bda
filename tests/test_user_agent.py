"""User agents: which tool, and which of them are the same client in another dress."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrich.facts.user_agent import normal_form, parse_user_agent

CLI2 = (
    "aws-cli/2.15.30 Python/3.11.8 Linux/5.10.0-28-amd64 exe/x86_64.debian.11 prompt/off"
    " command/s3.cp"
)
CLI2_NEW = (
    "aws-cli/2.22.4 md/awscrt#0.22.0 ua/2.0 os/macos#23.6.0 md/arch#arm64 lang/python#3.12.6"
    " md/pyimpl#CPython m/b,E,Z cfg/retry-mode#standard md/installer#exe sid/4f1e"
    " md/prompt#off md/command#sts.get-caller-identity"
)


@pytest.mark.parametrize(
    ("agent", "tool", "form"),
    [
        (CLI2, "AWS CLI", "AWS CLI 2.15 · Linux · python 3.11"),
        (CLI2_NEW, "AWS CLI", "AWS CLI 2.22 · macOS · python 3.12"),
        (
            "aws-cli/1.18.69 Python/3.8.10 Linux/5.4.0 botocore/1.16.19",
            "AWS CLI",
            "AWS CLI 1.18 · Linux · python 3.8",
        ),
        (
            "aws-cli/2.7.1 Python/3.9.11 Linux/5.10 exec-env/CloudShell exe/x86_64 prompt/off",
            "AWS CLI",
            "AWS CLI 2.7 · Linux · python 3.9 · CloudShell",
        ),
        (
            "Boto3/1.34.7 md/Botocore#1.34.7 ua/2.0 os/linux#5.10 md/arch#x86_64 lang/python#3.12.1"
            " exec-env/AWS_Lambda_python3.12 Botocore/1.34.7",
            "boto3",
            "boto3 1.34 · Linux · python 3.12 · AWS_Lambda_python3.12",
        ),
        (
            "APN/1.0 HashiCorp/1.0 Terraform/1.5.7 (+https://www.terraform.io)"
            " terraform-provider-aws/5.30.0 aws-sdk-go-v2/1.23 os/linux lang/go#1.20",
            "Terraform",
            "Terraform 5.30 · Linux · go 1.20",
        ),
        ("[aws-sdk-go/1.44.0 (go1.19; linux; amd64)]", "AWS SDK Go", None),
        (
            "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.11.666 Linux/4.9 vendor/Oracle]",
            "AWS console",
            "AWS console",
        ),
        ("console.ec2.amazonaws.com", "AWS console", "AWS console"),
        ("signin.amazonaws.com", "AWS console", "AWS console"),
        ("AWS Internal", "AWS internal", "AWS internal"),
        ("cloudformation.amazonaws.com", "cloudformation.amazonaws.com", None),
        ("Coral/Netty4", "AWS internal", None),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
            " Chrome/126.0.0.0 Safari/537.36",
            "Chrome",
            "Chrome · Linux",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0",
            "Firefox",
            "Firefox · macOS",
        ),
        ("TruffleHog", "TruffleHog", "TruffleHog"),
        ("stratus-red-team_0f0a1c9e-1111", "Stratus Red Team", "Stratus Red Team"),
        ("S3 Browser/11.6.7 (https://s3browser.com)", "S3 Browser", "S3 Browser 11.6"),
        ("rclone/v1.65.0", "rclone", "rclone 1.65"),
        ("python-requests/2.31.0", "python-requests", "python-requests 2.31"),
        ("curl/8.5.0", "curl", "curl 8.5"),
        ("Go-http-client/1.1", "Go HTTP client", None),
        (
            "Boto3/1.26 Python/3.10 Linux/6.1.0-kali5-amd64 Botocore/1.29",
            "boto3",
            "boto3 1.26 · Kali Linux · python 3.10",
        ),
        ("my-own-tool/3.2.1", "my-own-tool", "my-own-tool 3.2"),
    ],
)
def test_tools_and_normal_forms(agent: str, tool: str, form: str | None) -> None:
    assert parse_user_agent(agent).tool == tool
    if form is not None:
        assert normal_form(agent) == form


def test_the_command_of_the_cli_is_read_and_left_out_of_the_form() -> None:
    assert parse_user_agent(CLI2).command == "s3.cp"
    assert parse_user_agent(CLI2_NEW).command == "sts.get-caller-identity"
    assert normal_form(CLI2) == normal_form(CLI2.replace("s3.cp", "ec2.run-instances"))


def test_patches_and_kernels_are_the_same_client_and_a_new_system_is_not() -> None:
    patched = CLI2.replace("2.15.30", "2.15.31").replace("3.11.8", "3.11.9").replace("-28-", "-30-")
    assert normal_form(patched) == normal_form(CLI2)
    assert normal_form(CLI2.replace("2.15.30", "2.16.0")) != normal_form(CLI2)
    assert normal_form(CLI2.replace("Linux/5.10.0", "Darwin/23.6")) != normal_form(CLI2)
    assert normal_form(CLI2 + " exec-env/CloudShell") != normal_form(CLI2)


@given(st.text(max_size=200))
def test_any_text_has_a_form_of_its_own(agent: str) -> None:
    form = normal_form(agent)
    assert form
    assert normal_form(agent) == form
