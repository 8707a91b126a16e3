import Answering
import ArgumentParsing
import Core
import HTTPAPI
import Service

/// `quarry ask`: a question in, an answer with page citations out.
struct AskCommand: Command {
  static let configuration = CommandConfiguration(
    "ask", abstract: "Answer a question from the library, with page citations.",
    discussion: """
      Without a text model the answer is extractive: it quotes the sentences that fit best, each checked against \
      the page. When nothing in the library is relevant enough, the answer is a refusal, exit code 3.
      """,
    examples: [
      .init("quarry ask \"How high is the weir?\"", "ask the default library"),
      .init("echo \"How high is the weir?\" | quarry ask --json", "read the question, print JSON"),
      .init("quarry ask --conversation audit \"And who signed it?\"", "go on with a conversation"),
    ])

  @OptionGroup var globals: GlobalOptions
  @OptionGroup var scope: SearchScope
  @Option("The conversation that the question continues.", valueName: "ID") var conversation: String?
  @Argument("The question; left out or '-': standard input.") var question: [String]

  init() {}

  mutating func run(_ context: CommandContext) async throws {
    let text = try await QuestionInput.read(question, context)
    let (answer, isEmpty) = try await globals.withLibrary(context) { library in
      let body = QueryBody(
        question: text, conversationID: conversation, collection: scope.collection, filters: try scope.filters,
        topK: scope.topK)
      let answer = try await library.questionAnswering().answer(body.coreQuestion, context: library.requestContext())
      // A refusal by a library without documents has another remedy than one by a full library.
      guard answer.outcome == .refused else { return (answer, false) }
      let first = try await library.index.catalogue(collections: nil, state: nil, limit: 1, after: nil)
      return (answer, first.entries.isEmpty)
    }
    if globals.json {
      context.output(String(decoding: try WireCoding.encode(AnswerBody(answer), pretty: true), as: UTF8.self) + "\n")
    } else {
      context.output(AnswerText.render(answer, context, isQuiet: globals.quiet))
    }
    if isEmpty && !globals.quiet { context.printError("The index is empty. Put PDFs in with: quarry ingest PATH") }
    if answer.outcome == .refused { throw QuietExit(code: ExitCode.refused) }
  }
}

/// Options that narrow a search.
struct SearchScope: ArgumentGroup {
  @Option("Search only this collection.", short: "c", valueName: "NAME") var collection: String?
  @Option("Passages to retrieve.", in: 1...100, short: "k") var topK: Int?
  @Option("Search only this document (its id).", valueName: "ID") var document: [String]
  @Option("Search only documents with this attribute.", valueName: "KEY=VALUE") var attribute: [String]

  init() {}

  var filters: FiltersBody? {
    get throws {
      guard !document.isEmpty || !attribute.isEmpty else { return nil }
      var attributes: [String: String] = [:]
      for pair in attribute {
        guard let equals = pair.firstIndex(of: "=") else {
          throw CommandLineError.usage("--attribute needs KEY=VALUE, not '\(pair)'")
        }
        attributes[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
      }
      return FiltersBody(
        documents: document.isEmpty ? nil : document, attributes: attributes.isEmpty ? nil : attributes)
    }
  }
}

/// Where a question comes from.
enum QuestionInput {
  /// Most bytes read from standard input; the configured limit in characters applies as well.
  static let maximumBytes = 1 << 20

  static func read(_ words: [String], _ context: CommandContext) async throws -> String {
    if words.isEmpty || words == ["-"] {
      if words.isEmpty && context.inputIsTerminal {
        throw CommandLineError.usage("a question is missing; give it as an argument or on standard input")
      }
      return try await context.input(maximumBytes)
    }
    return words.joined(separator: " ")
  }
}
