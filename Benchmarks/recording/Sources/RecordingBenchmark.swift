// What recording an answer costs its caller: the event and the metric points, put into the recorder's queue while the
// queue is emptied into a log and a registry that take them at once.
//
//   recording-benchmark EVENTS ROUNDS
//
// EVENTS has one event a line, as `quarry archive list --type answer --json` prints them. Prints JSON: microseconds of
// the caller's thread for one answer (median, 99th percentile), and the median of the answers' own total time.

import Core
import FoundationEssentials
import Telemetry

private struct TakesAll: EventLog {
  func append(_ events: [Event]) async throws {}
  func events(
    from start: Date, to end: Date, kind: EventKind?, unreadable: @escaping @Sendable (String) -> Void
  ) -> AsyncThrowingStream<Event, any Error> { AsyncThrowingStream { $0.finish() } }
}

@main
struct RecordingBenchmark {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 3, let rounds = Int(arguments[2]) else { fatalError("EVENTS ROUNDS") }
    let answers = try Data(contentsOf: URL(filePath: arguments[1])).split(separator: UInt8(ascii: "\n"))
      .compactMap { line -> (Event, AnswerEvent)? in
        let event = try EventCoding.decode(line)
        guard case .answer(let answer) = event.payload, answer.outcome == .extractive else { return nil }
        return (event, answer)
      }
    let recorder = TelemetryRecorder(
      identity: .init(app: "quarry", environment: "benchmark", quarryVersion: "0"),
      redaction: Redaction(patterns: RedactionPattern.Preset.allCases.map { RedactionPattern($0) }),
      eventLog: TakesAll(), exporters: [PrometheusRegistry()])
    let delivery = Task { await recorder.run() }
    let context = RequestContext()
    let clock = ContinuousClock()
    var seconds: [Double] = []
    for round in 0..<rounds {
      let (event, answer) = answers[round % answers.count]
      let start = clock.now
      recorder.record(.answer(answer), context: context, collection: event.collection, answerID: event.answerID)
      // As `QuestionAnswering` publishes them.
      let dimensions = ["app": "quarry", "environment": "benchmark", "outcome": "extractive"]
      for passage in answer.passages {
        recorder.metric(MetricName.similarity, Double(passage.similarity), isHighResolution: true)
      }
      recorder.metric(MetricName.questions, 1, unit: .count, dimensions: dimensions)
      recorder.metric(MetricName.topSimilarity, 0.5, dimensions: dimensions)
      recorder.metric(MetricName.citationSupport, 1, dimensions: dimensions)
      for stage in ["embedding", "retrieval", "generation", "grounding", "total"] {
        recorder.metric(
          MetricName.stageSeconds, 0.01, unit: .seconds,
          dimensions: ["app": "quarry", "environment": "benchmark", "stage": stage])
      }
      seconds.append(start.duration(to: clock.now).seconds)
      // Answers do not come faster than they can be made.
      try await Task.sleep(for: .milliseconds(1))
    }
    recorder.finish()
    await delivery.value
    seconds.sort()
    let totals = answers.map(\.1.timings.total).sorted()
    let median = seconds[seconds.count / 2]
    print(
      """
      {"answers": \(answers.count), "rounds": \(rounds), "recording_us": {"median": \(median * 1e6), \
      "p99": \(seconds[seconds.count * 99 / 100] * 1e6)}, "answer_ms": \(totals[totals.count / 2] * 1e3), \
      "share": \(median / totals[totals.count / 2]), "dropped": \(recorder.counters.dropped)}
      """)
  }
}
