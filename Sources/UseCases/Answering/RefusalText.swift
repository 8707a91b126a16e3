/// What a refusal says.
enum RefusalText {
  static let nothingFound = "The library has nothing that answers this question."
  static let notRelevant =
    "Nothing in the library is relevant enough to answer this question; the closest passages are listed."
  static let modelDeclined = "The passages found do not answer this question."
}
