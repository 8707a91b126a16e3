import Core

/// First stages of the pipeline: a file becomes clean pages.
struct DocumentExtraction: Sendable {
  let reader: any PageReader
  let hygiene: PageHygiene
  let passwords: [String]
  let recognition: PageRecognition?

  /// What a file gave.
  struct Result: Sendable {
    var pages: StoredExtraction
    /// What became of pages that need their image read.
    var recognition: RecognitionOutcome
  }

  /// Reads all pages of a file. Pages that the reader did not deliver are there as `missing`; pages that are images
  /// are recognised when that is on, and stay unreadable, with the reason, when it fails.
  func extraction(
    of copy: LocalCopy, uri: SourceURI, progress: IngestionProgressHandler
  ) async throws -> Result {
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
    let outline = reading.document.outline
    // Hygiene consumes its input, and must see recognised pages together with the others: what repeats, the size of
    // running text and the words of the document are learnt from all of them.
    let kept = recognition?.mayRead(extracted) == true ? extracted : []
    var pages = hygiene.pages(from: extracted, outline: outline)
    var outcome = RecognitionOutcome.notNeeded
    if let recognition, !kept.isEmpty {
      let needy = Set(recognition.pages(of: pages))
      if !needy.isEmpty {
        let read = try await recognition.read(
          kept.filter { needy.contains($0.number) }, path: copy.path, passwords: passwords
        ) { done in await progress(.recognized(uri, pages: done, of: needy.count)) }
        let replaced = kept.map { read[$0.number]?.page ?? $0 }
        pages = hygiene.pages(from: replaced, outline: outline)
        for index in pages.indices { read[pages[index].number]?.mark(&pages[index]) }
        outcome = read.values.contains(where: \.hasFailed) ? .failedOnSome : .done
      }
    }
    let stored = StoredExtraction(
      metadata: reading.document.metadata, pageCount: max(total, pages.count), pages: Self.complete(pages, to: total),
      outline: outline, damage: reading.document.damage)
    return Result(pages: stored, recognition: outcome)
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
