import Core
import FoundationEssentials
import HTTPServer
import Telemetry

/// One structured line a request, and a metric for each one that failed.
struct RequestLog: Sendable {
  /// What is known of a request from its beginning.
  struct Entry: Sendable {
    var head: HTTPRequestHead
    var route: Route?
    var start: ContinuousClock.Instant
    var status: Int
  }

  let log: StructuredLog
  let recorder: TelemetryRecorder
  let app: String
  let environment: String

  /// A request has ended. Failures of the service itself are errors in the log; the callers' own are not.
  func ended(_ entry: Entry, error: (any Error)?, context: RequestContext) {
    let problem = error.map { Problem($0, traceID: context.traceID) }
    let isProbe = entry.route?.isPublic ?? false
    // A client that left is no fault of the service, and nobody reads the answer.
    let isFault = (problem?.body.status ?? 0) >= 500 && problem?.body.code != Problem.cancelledCode
    let level: LogLevel = isFault ? .error : isProbe ? .debug : .info
    let seconds = entry.start.duration(to: .now).seconds
    log.log(
      level, "request", context: context,
      [
        ("method", .string(entry.head.method.clipped)), ("route", .string(entry.route?.template ?? "none")),
        ("status", .int(entry.status)), ("seconds", .double((seconds * 1e6).rounded() / 1e6)),
        ("remote", .string(entry.head.remoteAddress)), ("request_bytes", .int(entry.head.contentLength ?? -1)),
      ] + failure(problem, error))
    if let problem, problem.body.code != Problem.cancelledCode { count(problem.body.code) }
  }

  /// A streamed answer failed after its head was sent: its status says 200.
  func streamFailed(_ problem: Problem, _ error: any Error, context: RequestContext) {
    log.log(.error, "a streamed answer failed", context: context, failure(problem, error))
    count(problem.body.code)
  }

  /// The engine refused a request; `head` is nil when it could not be read.
  func refused(_ head: HTTPRequestHead?, _ problem: Problem, context: RequestContext) {
    log.log(
      .warning, "request refused", context: context,
      [
        ("method", .string(head?.method.clipped ?? "")), ("status", .int(problem.body.status)),
        ("remote", .string(head?.remoteAddress ?? "")),
      ] + failure(problem, nil))
    count(problem.body.code)
  }

  /// The engine tells of something: ends that no handler sees.
  func engine(_ event: HTTPServerEvent) {
    switch event {
    case .message(let text): log.log(.warning, "HTTP engine", [("complaint", .string(text))])
    case .exchange(let exchange):
      guard exchange.outcome != .completed else { return }
      let traceID = Tracing.traceID(of: exchange.head)
      log.log(
        .info, "connection ended early",
        [
          ("outcome", .string(exchange.outcome.rawValue)), ("remote", .string(exchange.remoteAddress)),
          ("target", .string(exchange.target.clipped)), ("status", .int(exchange.status)),
          ("seconds", .double(exchange.duration.seconds)), ("trace_id", .string(traceID.rawValue)),
        ])
    }
  }

  private func failure(_ problem: Problem?, _ error: (any Error)?) -> [(String, LogValue)] {
    guard let problem else { return [] }
    var fields: [(String, LogValue)] = [
      ("error_code", .string(problem.body.code)), ("error", .string(problem.body.detail)),
    ]
    if let beneath = (error as? any CategorizedError).map({ $0.underlying }) ?? error {
      fields.append(("underlying", .string("\(beneath)")))
    }
    return fields
  }

  private func count(_ code: String) {
    recorder.metric(
      MetricName.requestErrors, 1, unit: .count,
      dimensions: [DimensionName.app: app, DimensionName.environment: environment, DimensionName.code: code])
  }
}
