"""OTLP over gRPC: the Export methods of three services."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]

from ingest.receivers.access import grpc_credentials, is_allowed
from ingest.receivers.errors import OverloadedError, UndecodableBodyError
from ingest.receivers.intake import Body, Intake
from ingest.receivers.settings import ReceiverSettings
from ingest.receivers.signals import SIGNALS, Signal
from store.errors import UsageError

DETAILS_KEY = "grpc-status-details-bin"


class GrpcReceiver:
    """A gRPC server with its own worker threads."""

    def __init__(self, settings: ReceiverSettings, port: int, intake: Intake) -> None:
        limits = settings.limits
        self._server = grpc.server(
            ThreadPoolExecutor(limits.workers, thread_name_prefix="retrospan-grpc"),
            options=[
                ("grpc.max_receive_message_length", limits.body_bytes),
                ("grpc.so_reuseport", 0),
            ],
            maximum_concurrent_rpcs=limits.connections,
        )
        for signal in SIGNALS:
            export = grpc.unary_unary_rpc_method_handler(_export(signal, intake, settings.token))
            handler = grpc.method_handlers_generic_handler(signal.service, {"Export": export})
            self._server.add_generic_rpc_handlers((handler,))
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        address = f"{host}:{port}"
        try:
            if settings.tls is None:
                self.port: int = self._server.add_insecure_port(address)
            else:
                credentials = grpc_credentials(settings.tls)
                self.port = self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise UsageError(f"cannot listen on {address} for gRPC: {error}") from error
        self._server.start()

    def stop(self, seconds: float) -> None:
        """Finish what is under way, then end."""
        self._server.stop(seconds).wait()


def _export(signal: Signal, intake: Intake, token: str | None) -> Callable[[bytes, Any], bytes]:
    def export(body: bytes, context: Any) -> bytes:
        metadata = dict(context.invocation_metadata())
        if not is_allowed(metadata.get("authorization"), token):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "a bearer token is needed")
        size = 0
        try:
            intake.enter(len(body))
            size = len(body)
            return signal.to_protobuf(
                intake.receive(
                    lambda: signal.items(signal.from_protobuf(body), intake.settings.limits),
                    Body(body, signal.name, is_json=False),
                )
            )
        except UndecodableBodyError as error:
            intake.count(undecodable=1)
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except OverloadedError as error:
            details = _come_again(str(error), intake.limits.retry_after_seconds)
            context.set_trailing_metadata(((DETAILS_KEY, details),))
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error))
        finally:
            intake.leave(size)
        raise AssertionError("abort always raises")

    return export


def _come_again(message: str, seconds: int) -> bytes:
    """RESOURCE_EXHAUSTED with RetryInfo, without which a sender drops its data."""
    info = RetryInfo()
    info.retry_delay.FromSeconds(seconds)
    packed = AnyMessage()
    packed.Pack(info)
    code = grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    data: bytes = Status(code=code, message=message, details=[packed]).SerializeToString()
    return data
