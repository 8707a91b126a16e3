import Answering
import Configuration
import Core

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
  /// - Throws: `prompt.template_unreadable`, and what is wrong with the template.
  static func template(_ path: String, for purpose: PromptTemplate.Purpose) throws -> PromptTemplate {
    let bytes: [UInt8]
    do {
      bytes = try readBytes(ofFile: path, atMost: PromptTemplate.largestFile)
    } catch {
      throw CoreError(
        code: "prompt.template_unreadable", category: .invalidConfiguration,
        message: "the prompt template \(path) cannot be read: \(error.reason)",
        remedy: "Correct answering.\(purpose == .answer ? "prompt" : "rewrite.prompt"), or leave it out.")
    }
    return try PromptTemplate(bytes, for: purpose, source: path)
  }
}
