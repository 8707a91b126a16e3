import Core

/// What to search for when a question continues a conversation.
///
/// "And in 2019?" finds nothing by itself: a question that leans on what was said (few content words, or a
/// pronoun at its start) is searched together with the question before it.
enum FollowUp {
  static func searchText(question: String, history: [Turn]) -> String {
    guard let earlier = history.last(where: { $0.role == .user })?.text, leans(question) else { return question }
    return "\(earlier) \(question)"
  }

  private static func leans(_ question: String) -> Bool {
    let words = Words.all(of: question)
    if Words.content(of: question).count < 3 { return true }
    return words.prefix(4).contains { pronouns.contains($0) } || openings.contains(words.first ?? "")
  }

  private static let pronouns: Set<String> = [
    "it", "its", "they", "them", "their", "he", "she", "his", "her", "this", "that", "these", "those",
  ]
  private static let openings: Set<String> = ["and", "but", "also", "und", "aber", "y", "et"]
}
