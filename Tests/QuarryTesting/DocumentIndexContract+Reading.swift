import Core
import FoundationEssentials
import Testing

extension DocumentIndexContract {
  /// A document that uses every field.
  static func rich() -> IndexedDocument {
    let document = Sample.document("rich.pdf")
    var indexed = Sample.indexed(
      document, texts: ["Überschrift – ﬁrst 🚰 line\nnext e\u{301}", "", pump], title: "Rich")
    indexed.metadata.author = "A. Uthor"
    indexed.metadata.created = Sample.date - 1_000
    indexed.metadata.modified = Sample.date - 10
    indexed.metadata.attributes = ["year": "2024", "名": "值"]
    indexed.pages[0].label = "iv"
    let scalars = indexed.pages[0].text.unicodeScalars.count
    indexed.pages[0].blocks = [
      TextBlock(range: 0..<10, kind: .heading(level: 2)),
      TextBlock(range: 10..<scalars, kind: .listItem, continuesOnNextPage: true),
    ]
    indexed.pages.append(Sample.page(4, text: "", coverage: .missing, reason: "the reader stopped"))
    indexed.pageCount = 4
    indexed.pages[2].recognition = TextRecognition(recognizer: "eyes 1.0", confidence: 0.75)
    indexed.outline = [
      OutlineEntry(level: 1, title: "Überschrift", page: 1, top: 72.5), OutlineEntry(level: 2, title: "b", page: nil),
    ]
    indexed.chunks[0].chunk.pages = [
      PageRange(page: 1, label: "iv", range: 0..<scalars), PageRange(page: 3, range: 0..<4),
    ]
    indexed.chunks[0].chunk.text += " " + pump.prefix(4)
    indexed.chunks[0].chunk.headingPath = ["Part | one", "Chapter \"two\""]
    indexed.chunks[0].chunk.embeddedText = "Rich\nPart | one\n" + indexed.chunks[0].chunk.text
    indexed.chunks[0].textHash = Sample.rules.textHash(indexed.chunks[0].chunk.embeddedText)
    indexed.chunks[1].chunk.isLowValue = true
    indexed.damage = "The file was cut."
    indexed.state = .incomplete
    indexed.reason = "page 4 is missing"
    return indexed
  }

  /// Whether two pages are equal, boxes to within a quarter of a point (they may be stored quantised).
  static func expectEqual(
    _ found: Page?, _ expected: Page, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let found = try #require(found, sourceLocation: sourceLocation)
    var withoutBoxes = found
    withoutBoxes.boxes = expected.boxes
    #expect(withoutBoxes == expected, sourceLocation: sourceLocation)
    #expect(found.boxes.count == expected.boxes.count, sourceLocation: sourceLocation)
    for (box, wanted) in zip(found.boxes, expected.boxes) {
      let edges = [box, wanted].map { box in box.map { [$0.left, $0.top, $0.right, $0.bottom] } ?? [] }
      let isNear = edges[0].count == edges[1].count && zip(edges[0], edges[1]).allSatisfy { abs($0 - $1) < 0.25 }
      #expect(isNear, "\(edges)", sourceLocation: sourceLocation)
    }
  }

  static let reading: [ContractClaim<any DocumentIndex>] = [
    ContractClaim("returnsPages_asCommitted") { index in
      let indexed = rich()
      try await index.commit(indexed)
      for page in indexed.pages {
        try expectEqual(try await index.page(page.number, of: indexed.document.id), page)
      }
      #expect(try await index.page(0, of: indexed.document.id) == nil)
      #expect(try await index.page(5, of: indexed.document.id) == nil)
      let some = try await index.pages([3, 1, 99], of: indexed.document.id)
      #expect(some.map(\.number) == [1, 3])
      let coverage = try await index.coverage(of: indexed.document.id)
      #expect(coverage.map(\.page) == [1, 2, 3, 4])
      #expect(coverage.map(\.coverage) == [.text, .empty, .text, .missing])
      #expect(coverage.last?.reason == "the reader stopped")
      #expect(coverage.map(\.label) == indexed.pages.map(\.label))
      #expect(coverage.map(\.recognition?.confidence) == [nil, nil, 0.75, nil])
      #expect(coverage[2].recognition?.recognizer == "eyes 1.0")
      let source = try await index.source(at: indexed.document.uri, collection: indexed.document.collection)
      #expect(source?.coverage == [.text: 2, .empty: 1, .missing: 1])
    },
    ContractClaim("returnsChunks_asCommitted") { index in
      let indexed = rich()
      try await index.commit(indexed)
      let ids = indexed.chunks.map(\.chunk.id)
      let found = try await index.chunks(ids + [ChunkID(rawValue: "gone")])
      #expect(found.count == ids.count)
      for chunk in indexed.chunks {
        let stored = try #require(found[chunk.chunk.id])
        #expect(stored.chunk == chunk.chunk)
        #expect(stored.textHash == chunk.textHash)
        #expect(stored.document.title == "Rich" && stored.document.version == indexed.document.version)
      }
      #expect(try await index.chunks([]).isEmpty)
    },
    ContractClaim("returnsEntry_asCommitted") { index in
      let indexed = rich()
      try await index.commit(indexed)
      let entry = try await index.entry(indexed.document.id)
      let expected = CatalogueEntry(
        document: indexed.document, metadata: indexed.metadata, state: .incomplete, reason: "page 4 is missing",
        pageCount: 4, coverage: [.text: 2, .empty: 1, .missing: 1], chunkCount: 2, byteCount: indexed.byteCount,
        pipeline: indexed.pipeline, indexed: indexed.indexed)
      #expect(entry == expected)
      #expect(try await index.unreadablePages(of: [indexed.document.id]) == [indexed.document.id: 1])
    },
    ContractClaim("returnsExtraction_ofEqualBytes_underTheSamePipelineOnly") { index in
      let indexed = rich()
      try await index.commit(indexed)
      let found = try #require(try await index.extraction(of: indexed.document.version, pipeline: indexed.pipeline))
      #expect(found.pageCount == 4 && found.outline == indexed.outline && found.metadata.title == "Rich")
      #expect(found.metadata.attributes.isEmpty)
      #expect(found.damage == "The file was cut.")
      for (page, expected) in zip(found.pages, indexed.pages) { try expectEqual(page, expected) }
      let other = PipelineVersion(rawValue: "other")
      #expect(try await index.extraction(of: indexed.document.version, pipeline: other) == nil)
    },
    ContractClaim("givesTheDamageOfTheNewestExtraction_alsoWhenItsPagesWereKnown") { index in
      var indexed = Sample.indexed()
      try await index.commit(indexed)
      indexed.damage = "The file was cut."
      indexed.indexed += 1
      try await index.commit(indexed)
      let found = try await index.extraction(of: indexed.document.version, pipeline: indexed.pipeline)
      #expect(found?.damage == "The file was cut.")
    },
    ContractClaim("keepsExtraction_whileACopyIsLeft") { index in
      let first = Sample.document("a.pdf", content: "same")
      let second = Sample.document("b.pdf", content: "same")
      try await index.commit(Sample.indexed(first, texts: [pump]))
      try await index.commit(Sample.indexed(second, texts: [pump]))
      try await index.delete(first.id, tombstone: false, now: Sample.date)
      #expect(try await index.page(1, of: second.id)?.text == pump)
      #expect(try await index.extraction(of: second.version, pipeline: Sample.pipeline)?.pages.count == 1)
    },
    ContractClaim("listsCatalogue_pageByPage_withFilters") { index in
      let law = CollectionName(rawValue: "law")
      for number in 0..<7 {
        let collection = number < 3 ? law : .default
        try await index.commit(
          Sample.indexed(
            Sample.document("\(number).pdf", collection: collection), state: number == 0 ? .incomplete : .ready))
      }
      var seen: [DocumentID] = []
      var cursor: String?
      repeat {
        let page = try await index.catalogue(collections: nil, state: nil, limit: 3, after: cursor)
        #expect(page.entries.count <= 3)
        seen += page.entries.map(\.document.id)
        cursor = page.next
      } while cursor != nil
      #expect(seen.count == 7 && seen == seen.sorted())
      let lawful = try await index.catalogue(collections: [law], state: nil, limit: 100, after: nil)
      #expect(lawful.entries.count == 3 && lawful.next == nil)
      let incomplete = try await index.catalogue(collections: nil, state: .incomplete, limit: 100, after: nil)
      #expect(incomplete.entries.map(\.document.name) == ["0.pdf"])
      #expect(try await index.catalogue(collections: [], state: nil, limit: 9, after: nil).entries.isEmpty)
      #expect(try await index.collections() == [law: 3, .default: 4])
    },
    ContractClaim("countsTotals_andStaleDocuments") { index in
      try await index.commit(Sample.indexed(Sample.document("a.pdf"), texts: [pump, turbine]))
      let old = PipelineVersion(rawValue: "old")
      try await index.commit(Sample.indexed(Sample.document("b.pdf"), texts: [invoice], pipeline: old))
      let totals = try await index.totals(pipeline: Sample.current, identity: Sample.identity)
      #expect(totals == IndexTotals(documents: 2, pages: 3, chunks: 3, states: ["ready": 2], stale: 1))
      let other = FakeEmbedder.identity(model: "other")
      #expect(try await index.totals(pipeline: Sample.current, identity: other).stale == 2)
    },
    ContractClaim("countsDocumentsWithImages_asStale_onlyWhileRecognitionWouldReadThem") { index in
      let on = Sample.recognizing
      func scan(by pipeline: PipelineVersion?) throws -> IndexedDocument {
        var scan = Sample.indexed(
          Sample.document("scan.pdf"), texts: [pump, ""], pipeline: try #require(pipeline), state: .incomplete)
        scan.pages[1].coverage = .imageOnly
        return scan
      }
      try await index.commit(try scan(by: Sample.pipeline))
      try await index.commit(Sample.indexed(Sample.document("plain.pdf"), texts: [turbine, ""]))
      #expect(try await index.totals(pipeline: Sample.current, identity: Sample.identity).stale == 0)
      #expect(try await index.totals(pipeline: on, identity: Sample.identity).stale == 1)
      for pipeline in [on.recognized, on.partlyRecognized] {
        try await index.commit(try scan(by: pipeline))
        #expect(try await index.totals(pipeline: on, identity: Sample.identity).stale == 0)
        #expect(try await index.totals(pipeline: Sample.current, identity: Sample.identity).stale == 0)
      }
      var other = on
      other.recognition?.limitsVersion = "wider"
      #expect(try await index.totals(pipeline: other, identity: Sample.identity).stale == 1)
      var newer = Sample.current
      newer.base = PipelineVersion(rawValue: "poppler-1/hygiene-1/chunks-2")
      #expect(try await index.totals(pipeline: newer, identity: Sample.identity).stale == 2)
    },
  ]
}
