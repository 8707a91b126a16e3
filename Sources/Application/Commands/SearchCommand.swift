import Answering
import ArgumentParsing
import Core
import HTTPAPI
import Service

/// `quarry search`: the passages for a question, without an answer.
struct SearchCommand: Command {
  static let configuration = CommandConfiguration(
    "search", abstract: "List the passages that fit a question, with scores.",
    examples: [.init("quarry search -k 10 \"turbine maintenance\"", "the ten best passages")])

  @OptionGroup var globals: GlobalOptions
  @OptionGroup var scope: SearchScope
  @Argument("The question; left out or '-': standard input.") var question: [String]

  init() {}

  mutating func run(_ context: CommandContext) async throws {
    let text = try await QuestionInput.read(question, context)
    try await globals.withLibrary(context) { library in
      let request = library.requestContext()
      let body = QueryBody(
        question: text, collection: scope.collection, filters: try scope.filters, topK: scope.topK)
      let retrieval = try await library.search(body.coreQuestion, context: request)
      if globals.json {
        let body = SearchBody(retrieval, traceID: request.traceID)
        context.output(String(decoding: try WireCoding.encode(body, pretty: true), as: UTF8.self) + "\n")
      } else {
        context.output(AnswerText.render(retrieval, context, isQuiet: globals.quiet))
      }
    }
  }
}
