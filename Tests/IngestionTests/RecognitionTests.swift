import Core
import FoundationEssentials
import Ingestion
import QuarryTesting
import Testing

/// "Draws" a page as the bytes of its number, and reads what a script says of it.
struct ScriptedRecognizer: TextRecognizer, PageImageRenderer {
  var name = "eyes 1.0"
  var settings = "sharp"
  var limits = "narrow"
  /// What each page's image says; pages that are not there fail.
  var texts: [Int: String]
  var confidence: Float = 0.9

  func png(
    path: String, page: Int, dotsPerInch: Double, highlights: [Box], passwords: [String]
  ) async throws -> [UInt8] { [UInt8(page)] }

  func recognize(_ image: PageImage) async throws -> [RecognizedWord] {
    guard let text = image.png.first.flatMap({ texts[Int($0)] }) else {
      throw CoreError(code: "ocr.time_limit", category: .tooLarge, message: "too slow for \(image.name)")
    }
    return text.split(separator: " ").enumerated().map { index, word in
      let left = Float(index) * 0.08 + 0.1
      return RecognizedWord(
        text: String(word), box: Box(left: left, top: 0.1, right: left + 0.07, bottom: 0.11), confidence: confidence,
        paragraph: 0, line: 0)
    }
  }
}

@Suite struct RecognitionTests {
  let bench = Bench()

  private func ingester(_ recognizer: ScriptedRecognizer?, _ settings: RecognitionSettings = .init()) -> Ingester {
    let recognition = recognizer.map { PageRecognition(recognizer: $0, renderer: $0, settings: settings) }
    return Ingester(
      index: bench.index, jobs: bench.jobs, cache: bench.cache, reader: bench.library, embedder: bench.embedder,
      chunker: SentenceChunker(limit: bench.embedder.limit, settings: .init()), recognition: recognition,
      now: { Sample.date })
  }

  private func ingest(_ ingester: Ingester) async throws -> IngestionSummary {
    try await ingester.ingest([bench.library], context: bench.context)
  }

  private func rebuild(_ ingester: Ingester) async throws -> IngestionSummary {
    try await ingester.rebuild(bytes: LibraryBytes(), context: bench.context)
  }

  private func page(_ number: Int, of name: String) async throws -> Page {
    let source = try #require(try await bench.source(name))
    return try #require(try await bench.index.page(number, of: source.document.id))
  }

  private let eyes = ScriptedRecognizer(texts: [2: "The sluice opens at dawn."])

  @Test func imagesBecomeSearchable_markedWithWhoReadThem() async throws {
    await bench.library.put("a.pdf", ["The pump moves water.", ""])
    let summary = try await ingest(ingester(eyes))
    #expect(summary.pages == [.text: 2])
    #expect(summary.recognizedPages == 1)
    let page = try await page(2, of: "a.pdf")
    #expect(page.text.contains("The sluice opens at dawn."))
    #expect(page.recognition == TextRecognition(recognizer: "eyes 1.0", confidence: 0.9))
    #expect(try await self.page(1, of: "a.pdf").recognition == nil)
    let source = try #require(try await bench.source("a.pdf"))
    #expect(try await bench.index.entry(source.document.id)?.state == .ready)
    #expect(source.pipeline == ingester(eyes).pipeline.recognized)
    let found = try await bench.index.candidates(
      for: CandidateRequest(
        embedding: nil, identity: nil, lexicalText: "sluice", trigramText: nil, filter: .init(), depth: 5))
    #expect(found.legs[.lexical]?.count == 1)
  }

  @Test func documentsWithoutImages_keepThePipelineVersionWithoutRecognition() async throws {
    await bench.library.put("a.pdf", ["The pump moves water."])
    _ = try await ingest(ingester(eyes))
    #expect(try await bench.source("a.pdf")?.pipeline == ingester(nil).pipeline.base)
  }

  @Test func aFailureConcernsItsPageOnly_andIsNamed() async throws {
    await bench.library.put("a.pdf", ["The pump moves water.", "", ""])
    let summary = try await ingest(ingester(eyes))
    #expect(summary.failed.isEmpty)
    #expect(summary.pages == [.text: 2, .imageOnly: 1])
    let page = try await page(3, of: "a.pdf")
    #expect(page.coverage == .imageOnly)
    #expect(page.coverageReason?.contains("too slow for page 3 of 'a.pdf' (ocr.time_limit)") == true)
    #expect(try await bench.source("a.pdf")?.pipeline == ingester(eyes).pipeline.partlyRecognized)
  }

  @Test func pagesBeyondALimitStayUnreadable_withTheLimitNamed() async throws {
    await bench.library.put("a.pdf", ["The pump moves water.", "", ""])
    let all = ScriptedRecognizer(texts: [2: "The sluice opens at dawn.", 3: "The gate shuts at dusk."])
    _ = try await ingest(ingester(all, .init(pagesPerDocument: 1)))
    #expect(try await page(2, of: "a.pdf").coverage == .text)
    #expect(try await page(3, of: "a.pdf").coverageReason?.contains("(ocr.page_limit)") == true)

    // A wider limit makes the document stale, and a rebuild reads the rest.
    let wide = ingester(all, .init(pagesPerDocument: 2))
    #expect(try await ingest(wide).stale == 1)
    #expect(try await rebuild(wide).updated == 1)
    #expect(try await page(3, of: "a.pdf").coverage == .text)
    #expect(try await ingest(wide).stale == 0)
  }

  @Test func noPageIsBegun_afterTheDocumentsTime() async throws {
    await bench.library.put("a.pdf", ["The pump moves water.", ""])
    _ = try await ingest(ingester(eyes, .init(documentTime: .zero)))
    #expect(try await page(2, of: "a.pdf").coverageReason?.contains("(ocr.document_time_limit)") == true)
  }

  @Test(arguments: [0.2, 0.9] as [Float]) func doubtfulOrNoText_isNotTaken_andNotTriedAgain(_ confidence: Float)
    async throws
  {
    await bench.library.put("a.pdf", ["The pump moves water.", ""])
    let doubtful = ScriptedRecognizer(texts: [2: confidence < 0.5 ? "Smudge" : ""], confidence: confidence)
    _ = try await ingest(ingester(doubtful))
    let page = try await page(2, of: "a.pdf")
    #expect(page.coverage == .imageOnly && page.recognition == nil)
    #expect(page.coverageReason?.contains(confidence < 0.5 ? "confidence of 20%" : "found no text") == true)
    #expect(try await rebuild(ingester(doubtful)).unchanged == 1)
  }

  @Test func turningItOn_renewsDocumentsWithImagesOnly_andTurningItOffKeepsTheirText() async throws {
    await bench.library.put("a.pdf", ["The pump moves water."])
    await bench.library.put("b.pdf", ["The weir holds it.", ""])
    #expect(try await ingest(ingester(nil)).pages == [.text: 2, .imageOnly: 1])
    let seen = try await ingest(ingester(eyes))
    #expect(seen.unchanged == 2 && seen.stale == 1)
    let renewed = try await rebuild(ingester(eyes))
    #expect(renewed.unchanged == 1 && renewed.updated == 1 && renewed.recognizedPages == 1 && renewed.stale == 0)
    let off = try await rebuild(ingester(nil))
    #expect(off.unchanged == 2 && off.updated == 0)
    #expect(try await page(2, of: "b.pdf").text.contains("sluice"))
    #expect(try await ingest(ingester(nil)).stale == 0)
  }

  @Test func equalBytesAreNotReadAgain() async throws {
    await bench.library.put("a.pdf", ["The pump moves water.", ""])
    _ = try await ingest(ingester(eyes))
    await bench.library.put("copy.pdf", ["The pump moves water.", ""])
    _ = try await ingest(ingester(eyes))
    #expect(await bench.library.opened == ["a.pdf"])
    #expect(try await page(2, of: "copy.pdf").recognition != nil)
  }

  @Test func wordsBecomeGlyphsInPoints_onLinesOfOneTypeSize() {
    func word(_ text: String, _ left: Float, _ top: Float, height: Float = 0.02, line: Int) -> RecognizedWord {
      RecognizedWord(
        text: text, box: Box(left: left, top: top, right: left + 0.1, bottom: top + height), confidence: 1,
        paragraph: line / 2, line: line)
    }
    let text = RecognizedText([
      word("ab", 0.1, 0.1, line: 0), word("—", 0.25, 0.11, height: 0.001, line: 0), word("Oh", 0.1, 0.2, line: 1),
      word("cd", 0.1, 0.3, height: 0.022, line: 2), word("out", 1.5, 0.3, line: 2), word("\u{1}", 0.4, 0.3, line: 2),
    ])
    let blank = ExtractedPage(
      number: 3, label: "iii", size: PageSize(width: 200, height: 500), scalars: [], boxes: [], imageCoverage: 1)
    let page = text.page(like: blank)
    #expect(String(String.UnicodeScalarView(page.scalars)) == "ab —\nOh\ncd")
    #expect(page.number == 3 && page.label == "iii" && page.size == blank.size && page.imageCoverage == 0)
    let edges = page.boxes[1].map { [$0.left, $0.top, $0.right, $0.bottom].map { ($0 * 10).rounded() / 10 } }
    #expect(edges == [30, 50, 40, 60])
    #expect(page.boxes[2] == nil)
    // The dash has the height of a letter; sizes that nearly agree are one.
    #expect((page.boxes[3]?.height ?? 0) >= 5)
    #expect(Set(page.fonts.map(\.size)).count == 1)
  }
}

/// The fake library's files are where their URIs say.
private struct LibraryBytes: DocumentBytes {
  func file(for version: ContentVersion, uri: SourceURI) async throws -> String { uri.filePath ?? "" }
}
