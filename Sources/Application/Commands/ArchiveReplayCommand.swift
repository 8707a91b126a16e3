import ArgumentParsing
import Core
import FoundationEssentials
import HTTPAPI
import Insight
import Service

extension ArchiveCommand {
  /// `quarry archive replay`.
  struct Replay: Command {
    static let configuration = CommandConfiguration(
      "replay", abstract: "Ask an archived question again, of today's index, and show what changed.",
      discussion: """
        The replay is recorded as an answer of the traffic kind 'replay'; it counts in no metric of live traffic, and no \
        conversation goes on. Where something was redacted that it needs, it says so. Exit code 4 when an answer changed.
        """,
      examples: [
        .init("quarry archive replay 0199a3c1-5d2e-7c41-8f0a-3f6d2f0c9b11", "one answer"),
        .init(
          "quarry archive list --type answer --json | jq -r .answer_id | xargs quarry archive replay --json",
          "every answer of the last day"),
      ])

    @OptionGroup var globals: GlobalOptions
    @Argument("Ids of answers.", valueName: "ID") var ids: [String]
    @Option("Search from this time on; default: when the id was made.", valueName: "TIME") var since: String?

    init() {}

    mutating func validate() throws {
      if ids.isEmpty { throw CommandLineError.usage("the id of an answer is missing; quarry archive list shows them") }
    }

    mutating func run(_ context: CommandContext) async throws {
      var isChanged = false
      try await globals.withLibrary(context, traffic: .replay) { library in
        let replay = AnswerReplay(try await library.questionAnswering())
        for id in ids {
          let event = try await archived(id, in: library, context)
          let report = try await replay.replay(event, context: library.requestContext(traffic: .replay))
          isChanged = isChanged || !report.isUnchanged
          if globals.json {
            let isOne = ids.count == 1
            context.output(String(decoding: try WireCoding.encode(report, pretty: isOne), as: UTF8.self) + "\n")
          } else {
            context.output(ReplayText.render(report, context, isQuiet: globals.quiet))
          }
        }
      }
      if isChanged { throw QuietExit(code: ExitCode.belowTarget) }
    }

    private func archived(_ id: String, in library: Library, _ context: CommandContext) async throws -> Event {
      let stream = library.eventLog.events(
        from: try ArchiveSearch.start(of: id, since: since), to: Date().addingTimeInterval(1), kind: .answer,
        unreadable: { context.printError("warning: \($0)") })
      for try await event in stream where event.answerID?.rawValue == id || event.eventID == id { return event }
      throw ArchiveSearch.unknown(id)
    }
  }
}

/// A replay as text for people.
enum ReplayText {
  static func render(_ report: ReplayReport, _ context: CommandContext, isQuiet: Bool) -> String {
    var lines = [
      context.bold(AnswerText.singleLine(report.question)),
      "answer \(report.answerID), replayed as \(report.replayID): "
        + (report.isUnchanged ? "nothing that is shown changed" : "changed"),
    ]
    for change in report.changes {
      lines.append("  \(change.what): \(change.before ?? "none") → \(change.after ?? "none")")
    }
    switch report.isSameText {
    case true?: lines.append("The answer is the same:\n  \(AnswerText.singleLine(report.answerAfter))")
    case false?:
      lines.append("The answer was:\n  \(AnswerText.singleLine(report.answerBefore))")
      lines.append("The answer is now:\n  \(AnswerText.singleLine(report.answerAfter))")
    case nil: lines.append("The answer is now:\n  \(AnswerText.singleLine(report.answerAfter))")
    }
    if !isQuiet, !report.passages.isEmpty {
      lines.append(
        AnswerText.pad("passage", 10) + AnswerText.pad("rank", 10) + AnswerText.pad("similarity", 20) + "document")
      for passage in report.passages { lines.append(line(passage)) }
    }
    for note in report.notes { lines.append("Note: \(note).") }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func line(_ passage: ReplayReport.Passage) -> String {
    func pair(_ before: String?, _ after: String?) -> String {
      before == after ? before ?? "–" : "\(before ?? "–") → \(after ?? "–")"
    }
    func cosine(_ value: Float?) -> String? { value.map { "\((Double($0) * 1000).rounded() / 1000)" } }
    let pages = passage.pages.map(String.init).joined(separator: ", ")
    return AnswerText.pad(passage.status.rawValue, 10)
      + AnswerText.pad(pair(passage.rankBefore.map(String.init), passage.rankAfter.map(String.init)), 10)
      + AnswerText.pad(pair(cosine(passage.similarityBefore), cosine(passage.similarityAfter)), 20)
      + "\(passage.documentName), p. \(pages)"
  }
}
