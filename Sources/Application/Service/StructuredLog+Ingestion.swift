import Core
import Ingestion
import Telemetry

extension StructuredLog {
  /// Logs the ends of documents, for services that nobody watches.
  func record(_ progress: IngestionProgress) {
    switch progress {
    case .committed(let document):
      log(
        .info, "document ingested",
        [
          ("document", .string(document.id.rawValue)), ("uri", .string(document.uri.rawValue)),
          ("state", .string(document.state.rawValue)), ("reason", .string(document.reason ?? "")),
          ("pages", .int(document.pages)), ("chunks", .int(document.chunks)),
        ])
    case .failed(let failure):
      log(
        .warning, "document failed",
        [
          ("uri", .string(failure.name)), ("error_code", .string(failure.code)), ("error", .string(failure.message)),
          ("will_retry", .bool(failure.willRetry)),
        ])
    default: break
    }
  }
}
