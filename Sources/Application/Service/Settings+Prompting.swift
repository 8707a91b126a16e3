import Answering
import Configuration
import Core

extension Settings {
  /// How text models are prompted.
  public struct Prompting: Sendable {
    /// Most tokens of a prompt.
    public var promptTokens: Int
    /// The template's file; nil for the one built in.
    public var answerTemplate: String?
    /// Whether later questions of a conversation are rewritten to stand alone.
    public var rewrites: Bool
    /// The file of the template that rewrites; nil for the one built in.
    public var rewriteTemplate: String?
    /// Most tokens of a rewritten question.
    public var rewriteTokens: Int
    /// The longest wait for a rewritten question.
    public var rewriteTimeout: Duration
  }
}

extension Settings.Prompting {
  init(_ reader: ConfigurationReader) {
    promptTokens = reader.value(
      "promptTokens", .int(in: 500...1_000_000), default: 8000,
      doc: "Most tokens of a prompt; the text model's own limit applies too.")
    answerTemplate = reader.optional(
      "prompt", .nonEmptyString, doc: "The file of another prompt template than `config/prompts/answer.v1.md`.")
    rewrites = reader.value(
      "rewrite.enabled", .bool, default: true,
      doc: "Whether the text model first rewrites later questions of a conversation to stand alone.")
    rewriteTemplate = reader.optional(
      "rewrite.prompt", .nonEmptyString, doc: "The file of another template than `config/prompts/rewrite.v1.md`.")
    rewriteTokens = reader.value(
      "rewrite.maxTokens", .int(in: 16...2_000), default: 128, doc: "Most tokens of a rewritten question.")
    rewriteTimeout = reader.value(
      "rewrite.timeout", .duration(in: .milliseconds(100) ... .seconds(600)), default: .seconds(10),
      doc: "The longest wait for a rewritten question; the question is then taken as it is.")
  }
}
