public import Core
import Cryptography

/// Reads pages without usable text from their images.
///
/// A page is drawn as it is displayed, given to the recognizer, and its words become a page like any other, with a
/// box for each character. What fails concerns one page: it stays unreadable, with the reason.
public struct PageRecognition: Sendable {
  let recognizer: any TextRecognizer
  let renderer: any PageImageRenderer
  let settings: RecognitionSettings
  private let elapsed: @Sendable () -> Duration

  /// Reads pages that `renderer` draws.
  public init(
    recognizer: any TextRecognizer, renderer: any PageImageRenderer, settings: RecognitionSettings = .init(),
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.recognizer = recognizer
    self.renderer = renderer
    self.settings = settings
    elapsed = Self.stopwatch(clock)
  }

  private static func stopwatch<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Duration {
    let start = clock.now
    return { start.duration(to: clock.now) }
  }

  /// What the pipeline version of a document with such pages says of them.
  var pipelinePart: CurrentPipeline.Recognition {
    let text = [
      recognizer.name, recognizer.settings, "\(settings.dotsPerInch)", "\(settings.minimumConfidence)",
      "\(settings.takesGarbled)", RecognizedText.version,
    ]
    let limits = [recognizer.limits, "\(settings.pagesPerDocument)", "\(settings.documentTime)"]
    let name = recognizer.name.unicodeScalars.prefix(40).map { scalar in
      scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "." ? String(scalar) : "-"
    }
    return CurrentPipeline.Recognition(
      version: "\(name.joined())-\(FieldHash.identifier(text).prefix(8))",
      limitsVersion: String(FieldHash.identifier(limits).prefix(8)), coverages: settings.coverages)
  }

  /// Whether hygiene may find pages to read among these: only then are they kept, which costs their memory.
  func mayRead(_ pages: [ExtractedPage]) -> Bool {
    pages.contains { $0.imageCoverage > 0 } || settings.takesGarbled
  }

  /// The numbers of the pages to read.
  func pages(of pages: [Page]) -> [Int] {
    pages.filter { settings.coverages.contains($0.coverage) }.map(\.number)
  }

  /// What reading a page's image gave.
  package struct Reading: Sendable {
    /// The page with the text of its image; nil when that gave none.
    package var page: ExtractedPage?
    package var recognition: TextRecognition?
    /// Why there is none.
    package var reason: String?
    /// Whether another try under other limits might give some.
    package var hasFailed = false

    /// Notes on a clean page where its text is from, or why it is still missing.
    func mark(_ page: inout Page) {
      if let recognition {
        page.recognition = recognition
      } else if let reason {
        page.coverageReason = (page.coverageReason.map { "\($0); " } ?? "") + reason
      }
    }
  }

  /// Reads the images of `pages` of the PDF at `path`, a few at a time and within the limits of a document.
  /// - Returns: A reading for each page, by number.
  /// - Throws: `CancellationError`; what fails otherwise is in the readings.
  package func read(
    _ pages: [ExtractedPage], path: String, passwords: [String], progress: (_ done: Int) async -> Void
  ) async throws -> [Int: Reading] {
    var readings: [Int: Reading] = [:]
    let start = elapsed()
    let limit = min(pages.count, settings.pagesPerDocument)
    for page in pages[limit...] {
      readings[page.number] = Reading(
        reason: "not read from its image: the document has more than \(settings.pagesPerDocument) such pages "
          + "(ocr.page_limit)", hasFailed: true)
    }
    try await withThrowingTaskGroup(of: (Int, Reading).self) { group in
      var next = 0
      func startNext() {
        guard next < limit else { return }
        let page = pages[next]
        next += 1
        if elapsed() - start >= settings.documentTime {
          group.addTask {
            let reason =
              "not read from its image: the document took more than the "
              + "\(settings.documentTime.components.seconds) s allowed (ocr.document_time_limit)"
            return (page.number, Reading(reason: reason, hasFailed: true))
          }
        } else {
          group.addTask { (page.number, try await reading(of: page, path: path, passwords: passwords)) }
        }
      }
      for _ in 0..<settings.width { startNext() }
      while let (number, reading) = try await group.next() {
        readings[number] = reading
        await progress(readings.count)
        startNext()
      }
    }
    return readings
  }

  private func reading(of page: ExtractedPage, path: String, passwords: [String]) async throws -> Reading {
    do {
      let png = try await renderer.png(
        path: path, page: page.number, dotsPerInch: settings.dotsPerInch, highlights: [], passwords: passwords)
      let image = PageImage(
        png: png, dotsPerInch: settings.dotsPerInch,
        name: "page \(page.number) of '\(path.split(separator: "/").last.map(String.init) ?? path)'")
      return taken(try await recognizer.recognize(image), for: page)
    } catch let error as any CategorizedError where error.category != .cancelled {
      try Task.checkCancellation()
      return Reading(reason: "not read from its image: \(error.message) (\(error.code))", hasFailed: true)
    }
  }

  private func taken(_ words: [RecognizedWord], for page: ExtractedPage) -> Reading {
    let text = RecognizedText(words)
    guard !text.isEmpty else { return Reading(reason: "\(recognizer.name) found no text in its image") }
    guard text.confidence >= settings.minimumConfidence else {
      return Reading(
        reason: "\(recognizer.name) read its image with a confidence of \(Int(text.confidence * 100))%, below the "
          + "\(Int(settings.minimumConfidence * 100))% wanted")
    }
    return Reading(
      page: text.page(like: page),
      recognition: TextRecognition(recognizer: recognizer.name, confidence: text.confidence))
  }
}
