public import Core

/// Checks quotes against the page text that the index holds, so that no citation rests on a model's word.
public struct CitationVerifier: Sendable {
  private let index: any DocumentIndex

  /// Creates a verifier that reads pages from `index`.
  public init(index: any DocumentIndex) { self.index = index }

  /// A quote and where it is claimed to stand.
  public struct Claim: Sendable, Hashable {
    /// The number of the citation.
    public var number: Int
    /// The passage cited.
    public var passage: Passage
    /// The quote.
    public var quote: String

    /// Creates a claim.
    public init(number: Int, passage: Passage, quote: String) {
      self.number = number
      self.passage = passage
      self.quote = quote
    }
  }

  /// Makes citations of claims: verified, with the exact place, when the quote stands in the stored text of the
  /// passage's pages; unverified, with the passage's first page, when it does not.
  ///
  /// Quotes are compared after folding white space, quotation marks, dashes and case. The verified quote is
  /// the stored text, not the claim's spelling of it.
  public func verify(_ claims: [Claim]) async throws -> [Citation] {
    var pagesOf: [DocumentID: [Int: Page]] = [:]
    for claim in claims {
      let id = claim.passage.document.id
      let wanted = claim.passage.chunk.pages.map(\.page).filter { pagesOf[id]?[$0] == nil }
      guard !wanted.isEmpty else { continue }
      for page in try await index.pages(Array(Set(wanted)).sorted(), of: id) {
        pagesOf[id, default: [:]][page.number] = page
      }
    }
    return claims.map { claim in
      citation(for: claim, pages: pagesOf[claim.passage.document.id] ?? [:])
    }
  }

  private func citation(for claim: Claim, pages: [Int: Page]) -> Citation {
    let found = Self.locate(claim.quote, in: claim.passage.chunk.pages, pages: pages)
    let places = found?.pages ?? Array(claim.passage.chunk.pages.prefix(1))
    return Citation(
      number: claim.number, chunk: claim.passage.chunk.id, document: claim.passage.document, pages: places,
      quote: found?.quote ?? claim.quote, isVerified: found != nil,
      recognition: places.compactMap { pages[$0.page]?.recognition }.min { $0.confidence < $1.confidence })
  }

  /// Finds `quote` in the stored text that `ranges` name; nil when it is not there.
  package static func locate(_ quote: String, in ranges: [PageRange], pages: [Int: Page]) -> (
    pages: [PageRange], quote: String
  )? {
    var scalars: [Unicode.Scalar] = []
    var places: [(range: PageRange, offset: Int)] = []
    for range in ranges {
      guard let page = pages[range.page] else { continue }
      let text = Array(page.text.unicodeScalars)
      guard range.range.lowerBound >= 0, range.range.upperBound <= text.count else { continue }
      if !scalars.isEmpty { scalars.append(" ") }
      places.append((range, scalars.count))
      scalars.append(contentsOf: text[range.range])
    }
    guard let match = FoldedText(scalars).range(of: FoldedText(quote.unicodeScalars)) else { return nil }
    let cited = places.compactMap { place -> PageRange? in
      let start = max(match.lowerBound, place.offset)
      let end = min(match.upperBound, place.offset + place.range.range.count)
      guard start < end else { return nil }
      let shift = place.range.range.lowerBound - place.offset
      return PageRange(
        page: place.range.page, label: place.range.label, range: (start + shift)..<(end + shift))
    }
    guard !cited.isEmpty else { return nil }
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars[match])
    return (cited, String(view))
  }
}
