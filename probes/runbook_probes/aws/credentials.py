"""Whose credentials boto3 finds, without ever asking a person for anything, and why it finds none."""

from functools import partial
from typing import Any

from runbook_engine.hostile import lines_of
from runbook_engine.pasteable import pasteable
from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.aws.failure import LOG_IN, Aim, explain, kind_of, line, names_of
from runbook_probes.aws.helpers import HelperError, Helpers


class CodeWantedError(Exception):
    """A role is only for those who give a code of their MFA device."""


def resolve(core: Any, helpers: Helpers, seconds: float) -> None:
    """Look for credentials, and fetch them where they come from a role, a log-in or a program.

    Without any, nothing is raised: boto3 says so itself at the call. Raises ProbeError, of kind auth unless a network or a
    service was in the way.
    """
    _ask_nobody(core, helpers, seconds)
    try:
        found = core.get_credentials()
        if found is not None:
            found.get_frozen_credentials()
    except Exception as error:  # noqa: BLE001 - whatever it is, there are no credentials
        failure = unresolved(error, core.get_config_variable("profile") or "default", helpers.last)
    else:
        return
    # Outside of the handler: what a program printed is kept in the error of whoever could not read it.
    raise failure


def _ask_nobody(core: Any, helpers: Helpers, seconds: float) -> None:
    """A person is asked in two places: for the code of an MFA device, and by a ``credential_process`` for what it likes."""
    from botocore.config import Config
    from botocore.credentials import (
        AssumeRoleProvider,
        CanonicalNameCredentialSourcer,
        EnvProvider,
        ProcessProvider,
        ProfileProviderBuilder,
    )

    def program(profile: str) -> Any:
        return ProcessProvider(profile, lambda: core.full_config, popen=partial(helpers.start, profile))

    class Builder(ProfileProviderBuilder):  # type: ignore[misc] # botocore has no types
        """For the profiles that a role's ``source_profile`` names."""

        def _create_process_provider(self, profile_name: str) -> Any:
            return program(profile_name)

    def client(service: str, **given: Any) -> Any:
        bounded = Config(connect_timeout=seconds, read_timeout=seconds, retries={"total_max_attempts": 1})
        own = given.pop("config", None)
        return core.create_client(service, config=bounded.merge(own) if own else bounded, **given)

    def refuse(_prompt: str) -> str:
        raise CodeWantedError

    profile = core.get_config_variable("profile") or "default"
    resolver = core.get_component("credential_provider")
    role = AssumeRoleProvider(
        load_config=lambda: core.full_config,
        client_creator=client,
        cache={},
        profile_name=profile,
        prompter=refuse,
        credential_sourcer=CanonicalNameCredentialSourcer(
            [EnvProvider(), resolver.get_provider("container-role"), resolver.get_provider("iam-role")]
        ),
        profile_provider_builder=Builder(core, cache={}),
    )
    for name, provider in ((AssumeRoleProvider.METHOD, role), (ProcessProvider.METHOD, program(profile))):
        resolver.insert_after(name, provider)
        resolver.remove(name)


def unresolved(error: Exception, profile: str, helper: str | None) -> ProbeError:
    """Why there are no credentials. ``helper`` is the profile whose program was started last, if any was."""
    from botocore import exceptions

    if isinstance(error, CodeWantedError):
        message = f'the role of the profile "{profile}" wants a code of an MFA device, and a probe asks nobody for one'
        return ProbeError(ErrorKind.AUTH, message, remedy=_session(profile))
    if isinstance(error, exceptions.ClientError):
        return _not_given(error, profile)
    if names_of(error) & _LOG_INS:
        message = f'the log-in of the profile "{profile}" cannot be used: {line(str(error))}'
        words = ("aws", "login") if "LoginError" in names_of(error) else ("aws", "sso", "login")
        return ProbeError(ErrorKind.AUTH, message, remedy=f"log in: {pasteable(*words, '--profile', profile)}")
    kept = getattr(error, "kwargs", {})
    if kept.get("endpoint_url"):
        return explain(error, Aim("the request", "for credentials", url=str(kept["endpoint_url"])), None)
    if helper is not None and not isinstance(error, exceptions.BotoCoreError):
        what = str(error) if isinstance(error, HelperError) else "it printed something else than credentials"
        return helper_failed(helper, what)
    if kept.get("provider") == "custom-process":
        written = lines_of(str(kept.get("error_msg", "")).strip())[-1]
        return helper_failed(helper or profile, line(written) if written else "it failed without a word")
    if isinstance(error, OSError):
        told = f"{error.filename}: {(error.strerror or type(error).__name__).lower()}"
        return ProbeError(
            ErrorKind.AUTH,
            f"a file with credentials cannot be read: {told}",
            remedy="check AWS_WEB_IDENTITY_TOKEN_FILE and the web_identity_token_file of the profile",
        )
    told = line(str(error)) if isinstance(error, exceptions.BotoCoreError) else type(error).__name__
    return ProbeError(ErrorKind.AUTH, f"there are no credentials for AWS: {told}", remedy=LOG_IN)


_LOG_INS = frozenset({"SSOError", "LoginError", "TokenRetrievalError", "NoAuthTokenError"})


def helper_failed(profile: str, what: str) -> ProbeError:
    return ProbeError(
        ErrorKind.AUTH,
        f'the credential_process of the profile "{profile}" gives no credentials: {what}',
        remedy=_session(profile),
    )


def _session(profile: str) -> str:
    """Keys in variables come before the profile of AWS_PROFILE, and after one that a step names."""
    export = pasteable("aws", "configure", "export-credentials", "--profile", profile, "--format", "env")
    return f'get a session first: eval "$({export})"; a step that names a profile does not use it'


def _not_given(error: Any, profile: str) -> ProbeError:
    """What STS or another service answers in place of credentials."""
    told = error.response.get("Error", {})
    code, message = str(told.get("Code", "")), str(told.get("Message") or "")
    asked = error.operation_name
    match kind_of(code):
        case ErrorKind.THROTTLED:
            return ProbeError(ErrorKind.THROTTLED, f"AWS throttles {asked} ({code})", remedy="ask less often")
        case ErrorKind.FORBIDDEN:
            told = line(f"{code}: {message}" if message else code)
            remedy = (
                f'allow sts:{asked} to whom the profile "{profile}" begins with, in their policy and in the trust policy of '
                "the role"
            )
        case _:
            # With a signature that does not fit, AWS repeats the signed request, token and all.
            told, remedy = code, LOG_IN
    return ProbeError(ErrorKind.AUTH, f'{asked} gives the profile "{profile}" no credentials ({told})', remedy=remedy)
