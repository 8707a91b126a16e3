import Answering
import Core
import FoundationEssentials

extension Library {
  /// The parts that answer: with the configured text model, else by quoting.
  struct AnsweringParts {
    var answerer: any Answerer
    /// Makes later questions of a conversation stand alone; nil without a text model, or when that is off.
    var rewriter: QuestionRewriter?
  }

  /// - Throws: `configuration.secret`, `aws.region_missing`, `prompt.template_…`, and failures of the embedding model.
  func answeringParts() async throws -> AnsweringParts {
    guard let generator = try await textGenerator() else {
      return AnsweringParts(answerer: ExtractiveAnswerer(embedder: try embedder(), index: index))
    }
    let prompting = settings.prompting
    let parameters = settings.generation.parameters
    let answer = try prompting.answerTemplate.map { try Self.template($0, for: .answer) } ?? .answer
    try answer.check(
      budget: min(prompting.promptTokens, generator.contextTokens - (parameters.maxTokens ?? 0)),
      countTokens: generator.countTokens)
    let answerer = GenerativeAnswerer(
      generator: generator, index: index, template: answer, parameters: parameters,
      promptTokens: prompting.promptTokens,
      // A remote model would be paid for every doubtful sentence.
      embedder: settings.embedding.kind == .local ? try embedder() : nil)
    guard prompting.rewrites else { return AnsweringParts(answerer: answerer) }
    let rewrite = try prompting.rewriteTemplate.map { try Self.template($0, for: .rewrite) } ?? .rewrite
    let rewriter = QuestionRewriter(
      generator: generator, template: rewrite, maxTokens: prompting.rewriteTokens,
      promptTokens: min(prompting.promptTokens, QuestionRewriter.defaultPromptTokens),
      timeout: prompting.rewriteTimeout)
    return AnsweringParts(answerer: answerer, rewriter: rewriter)
  }

  /// Reads a template's file.
  /// - Throws: `prompt.template_missing`, `prompt.template_too_large`, and what is wrong with it.
  static func template(_ path: String, for purpose: PromptTemplate.Purpose) throws -> PromptTemplate {
    func unreadable(_ why: String, _ error: (any Error)? = nil) -> CoreError {
      CoreError(
        code: "prompt.template_missing", category: .invalidConfiguration,
        message: "the prompt template \(path) \(why)",
        remedy: "Correct answering.\(purpose == .answer ? "prompt" : "rewrite.prompt"), or leave it out.",
        underlying: error)
    }
    let attributes: [FileAttributeKey: Any]
    do {
      attributes = try FileManager.default.attributesOfItem(atPath: path)
    } catch {
      throw unreadable("cannot be read: there is no such file, or it may not be read", error)
    }
    // A link is followed by reading; its own size says nothing.
    let type = attributes[.type] as? FileAttributeType
    guard type == .typeRegular || type == .typeSymbolicLink else { throw unreadable("is not a file") }
    guard (attributes[.size] as? Int ?? 0) <= PromptTemplate.largestFile else {
      throw CoreError(
        code: "prompt.template_too_large", category: .invalidConfiguration,
        message: "the prompt template \(path) has more than \(PromptTemplate.largestFile) bytes",
        remedy: "Shorten it: a prompt's room is for passages.")
    }
    guard let bytes = FileManager.default.contents(atPath: path) else { throw unreadable("cannot be read") }
    return try PromptTemplate(Array(bytes), for: purpose, source: path)
  }
}
