import Core

/// First stages of the pipeline: a file becomes clean pages.
struct DocumentExtraction: Sendable {
  let reader: any PageReader
  let hygiene: PageHygiene
  let passwords: [String]

  /// Reads all pages of a file. Pages that the reader did not deliver are there as `missing`.
  func extraction(
    of copy: LocalCopy, uri: SourceURI, progress: IngestionProgressHandler
  ) async throws -> StoredExtraction {
    let reading = try await reader.open(path: copy.path, name: uri.name, passwords: passwords)
    let total = reading.document.pageCount
    var extracted: [ExtractedPage] = []
    extracted.reserveCapacity(min(total, 10_000))
    for try await page in reading.pages {
      extracted.append(page)
      if extracted.count % 16 == 0 || extracted.count == total {
        await progress(.extracted(uri, pages: extracted.count, of: total))
      }
    }
    try Task.checkCancellation()
    let pages = hygiene.pages(from: extracted, outline: reading.document.outline)
    return StoredExtraction(
      metadata: reading.document.metadata, pageCount: max(total, pages.count), pages: Self.complete(pages, to: total),
      outline: reading.document.outline, damage: reading.document.damage)
  }

  private static func complete(_ pages: [Page], to total: Int) -> [Page] {
    guard pages.count < total else { return pages }
    let delivered = Set(pages.map(\.number))
    let size = pages.first?.size ?? PageSize(width: 612, height: 792)
    let missing = (1...total).filter { !delivered.contains($0) }.map { number in
      Page(
        number: number, size: size, text: "", boxes: [], blocks: [], coverage: .missing,
        coverageReason: "the reader did not deliver the page")
    }
    return (pages + missing).sorted { $0.number < $1.number }
  }
}
