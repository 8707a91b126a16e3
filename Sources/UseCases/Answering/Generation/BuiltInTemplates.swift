extension PromptTemplate {
  /// The template that answers from passages.
  public static let answer = PromptTemplate(
    name: "answer", version: "1", system: String(decoding: PackageResources.answer_1_txt, as: UTF8.self))
}
