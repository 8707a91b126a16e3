public import ArgumentParsing
public import Core
import FoundationEssentials
import Service
import Telemetry

/// `quarry archive`: what was asked, answered and embedded.
struct ArchiveCommand: CommandGroup {
  static let configuration = CommandConfiguration(
    "archive", abstract: "Read the event log, ask archived questions again, send what waits.",
    subcommands: [List.self, Show.self, Replay.self, Ship.self])

  init() {}

  /// `quarry archive list`.
  struct List: Command {
    static let configuration = CommandConfiguration(
      "list", abstract: "List events of a span of time, oldest first.",
      examples: [
        .init("quarry archive list --since 2026-11-17 --type answer", "answers since a day"),
        .init("quarry archive list --json | jq .question", "one JSON object a line"),
      ])

    @OptionGroup var globals: GlobalOptions
    @Option("From this time on (RFC 3339, or a date); default: a day ago.", valueName: "TIME") var since: String?
    @Option("Before this time; default: now.", valueName: "TIME") var until: String?
    @Option("Only events of this type.") var type: EventKind?
    @Option("Most events listed; the newest are kept.", in: 1...1_000_000, short: "n") var limit = 1000

    init() {}

    mutating func run(_ context: CommandContext) async throws {
      let end = try until.map(TimeArgument.parse) ?? Date().addingTimeInterval(1)
      let start = try since.map(TimeArgument.parse) ?? end.addingTimeInterval(-86400)
      try await globals.withLibrary(context) { library in
        var newest: [Event] = []
        let stream = library.eventLog.events(
          from: start, to: end, kind: type, unreadable: { context.printError("warning: \($0)") })
        for try await event in stream {
          newest.append(event)
          if newest.count > limit * 2 { newest.removeFirst(newest.count - limit) }
        }
        for event in newest.suffix(limit) {
          context.print(
            globals.json ? String(decoding: try EventCoding.encode(event), as: UTF8.self) : EventText.line(event))
        }
        if newest.isEmpty && !globals.json && !globals.quiet { context.printError("No events in that time.") }
      }
    }
  }

  /// `quarry archive show`.
  struct Show: Command {
    static let configuration = CommandConfiguration(
      "show", abstract: "Print one event in full, with what was said of its answer later.")

    @OptionGroup var globals: GlobalOptions
    @Argument("An answer id or event id.", valueName: "ID") var id: String
    @Option("Search from this time on; default: everything.", valueName: "TIME") var since: String?

    init() {}

    mutating func run(_ context: CommandContext) async throws {
      let start = try ArchiveSearch.start(of: id, since: since)
      try await globals.withLibrary(context) { library in
        var found = false
        let stream = library.eventLog.events(
          from: start, to: Date().addingTimeInterval(1), kind: nil,
          unreadable: { context.printError("warning: \($0)") })
        for try await event in stream where event.eventID == id || event.answerID?.rawValue == id {
          found = true
          let line = try EventCoding.encode(event)
          context.output(
            (globals.json ? String(decoding: line, as: UTF8.self) : try EventText.indented(line)) + "\n")
        }
        guard found else { throw ArchiveSearch.unknown(id) }
      }
    }
  }
}

/// Finding an event by its id.
enum ArchiveSearch {
  /// Where the search begins: the id tells when it was made, unless somebody says.
  static func start(of id: String, since: String?) throws -> Date {
    try since.map(TimeArgument.parse) ?? TimeOrderedID.time(of: id)?.addingTimeInterval(-3600)
      ?? Date(timeIntervalSince1970: 0)
  }

  static func unknown(_ id: String) -> CoreError {
    CoreError(
      code: "archive.unknown", category: .notFound, message: "the event log has no event or answer '\(id)'",
      remedy: "List them with: quarry archive list --since TIME")
  }
}

extension EventKind: ArgumentValue {}

/// Times on the command line.
enum TimeArgument {
  static func parse(_ text: String) throws -> Date {
    if let date = EventTime.parse(text) ?? EventTime.parse(text + "T00:00:00Z") { return date }
    throw CommandLineError.usage("'\(text)' is not a time; write 2026-11-17 or 2026-11-17T08:00:00Z")
  }
}

/// Events as text for people.
enum EventText {
  static func line(_ event: Event) -> String {
    let head =
      "\(EventTime.format(event.time))  \(event.answerID?.rawValue ?? event.eventID)  \(event.payload.kind.rawValue)"
    switch event.payload {
    case .answer(let answer):
      return "\(head)  \(answer.outcome.rawValue)  \(AnswerText.singleLine(String(answer.question.prefix(100))))"
    case .feedback(let feedback): return "\(head)  \(feedback.rating)"
    case .evaluation(let evaluation):
      return "\(head)  \(evaluation.name) \(evaluation.score.map { "\($0)" } ?? "–")"
    case .embedding(let embedding):
      return "\(head)  chunk \(embedding.chunkID) of \(embedding.documentID)\(embedding.reused ? " (reused)" : "")"
    case .tombstone(let tombstone): return "\(head)  chunk \(tombstone.chunkID) of \(tombstone.documentID)"
    }
  }

  static func indented(_ line: [UInt8]) throws -> String {
    let value = try JSONDecoder().decode(JSONValue.self, from: Data(line))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

/// Any JSON value; arrays of numbers are shortened, since a vector of 384 lines helps nobody.
private enum JSONValue: Codable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let values):
      if values.count > 16, case .number = values[0] {
        try container.encode("[\(values.count) numbers; see --json]")
      } else {
        try container.encode(values)
      }
    case .object(let values): try container.encode(values)
    }
  }
}
