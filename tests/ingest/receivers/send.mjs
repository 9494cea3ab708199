// One span by the OpenTelemetry SDK for JavaScript, to the address in the first argument.
import { SpanStatusCode } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";

const exporter = new OTLPTraceExporter({ url: process.argv[2] });
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const span = provider.getTracer("tests", "1.2").startSpan("pay");
span.setAttributes({ whole: 7, half: 0.5, list: ["a", "b"] });
span.addEvent("declined", { code: 51 });
span.setStatus({ code: SpanStatusCode.ERROR, message: "no money" });
span.end();
await provider.shutdown();
