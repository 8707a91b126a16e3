import AWS
import Core
import Telemetry

/// Tells the log and the metrics what happens to the messages of a queue of object events.
struct ObjectEventLog: Sendable {
  let log: StructuredLog
  let recorder: TelemetryRecorder
  let context: RequestContext
  let source: String
  let queue: String

  func record(_ notice: ObjectEventNotice) {
    switch notice {
    case .received(let number): count(number, "received")
    case .deleted(let number): count(number, "deleted")
    case .passedOver(let number): count(number, "passed_over")
    case .left(let id, let reason, let receipts):
      count(1, "left")
      // A queue without a dead-letter queue brings it again and again.
      write(
        receipts & (receipts - 1) == 0 ? .warning : .debug, "a message is left in the queue",
        [("message_id", .string(id)), ("reason", .string(reason)), ("receive_count", .int(receipts))])
    case .failed(let error, let failures, let delay):
      write(
        failures & (failures - 1) == 0 ? .warning : .debug, "the queue of object events cannot be used; trying again",
        [
          ("error_code", .string(error.code)), ("error", .string(error.message)),
          ("remedy", .string(error.remedy ?? "")), ("failures", .int(failures)),
          ("retry_seconds", .double(delay.seconds)),
        ])
    case .recovered(let failures):
      write(.info, "the queue of object events works again", [("failures", .int(failures))])
    }
  }

  private func count(_ number: Int, _ outcome: String) {
    recorder.metric(
      MetricName.queueMessages, Double(number), unit: .count, dimensions: [DimensionName.outcome: outcome])
  }

  private func write(_ level: LogLevel, _ message: StaticString, _ fields: [(String, LogValue)]) {
    log.log(
      level, message, context: context, [("root", .string(source)), ("queue", .string(queue))] + fields)
  }
}
