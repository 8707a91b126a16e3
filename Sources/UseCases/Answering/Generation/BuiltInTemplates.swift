extension PromptTemplate {
  /// `config/prompts/answer.v1.md`: answers from passages.
  public static let answer = builtIn(PackageResources.answer_v1_md, for: .answer)
  /// `config/prompts/rewrite.v1.md`: makes a question stand alone.
  public static let rewrite = builtIn(PackageResources.rewrite_v1_md, for: .rewrite)

  private static func builtIn(_ file: [UInt8], for purpose: Purpose) -> PromptTemplate {
    do {
      return try PromptTemplate(file, for: purpose, source: "built in for \(purpose.rawValue)")
    } catch {
      preconditionFailure("\(error)")
    }
  }
}
