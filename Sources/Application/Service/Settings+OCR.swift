import Configuration
public import Ingestion
public import PDFReading

extension Settings {
  /// What reads pages that are images.
  public enum Recognizer: Sendable {
    /// A command on this machine, with its limits on a page.
    case command(CommandRecognizerConfiguration)
    /// Amazon Textract, a number of pages at a time.
    case textract(concurrency: Int)
  }

  /// Which kind of recognizer.
  enum RecognizerKind: String, Sendable, CaseIterable {
    case command, textract
  }

  /// Reading pages that are images.
  public struct OCR: Sendable {
    /// Nil while pages that are images stay unreadable.
    public var recognizer: Recognizer?
    /// USD for 1,000 pages; nil when unknown. Commands cost nothing.
    public var pricePerThousandPages: Double?
    /// Which pages, and the limits on a document.
    public var pages: RecognitionSettings
  }
}

extension Settings.OCR {
  init(_ reader: ConfigurationReader) {
    let page = CommandRecognizerConfiguration(command: "")
    let document = RecognitionSettings()
    let kind = reader.value(
      "kind", .oneOf(), default: Settings.RecognizerKind.command,
      doc: "What reads pages that are images: `command`, once `ocr.command` names one, or `textract` (Amazon Textract)."
    )
    pricePerThousandPages = reader.optional(
      "pricePerThousandPages", .double(in: 0...1_000_000),
      doc: "What Textract costs for 1,000 pages, USD, for `ingest --plan`.")
    let command = reader.optional(
      "command", .nonEmptyString,
      doc: "The program that reads pages that are images, such as `tesseract`; without it they stay unreadable.")
    let arguments = reader.value(
      "arguments", .list(of: .nonEmptyString), default: page.arguments,
      doc: "Its arguments; `{image}`, `{language}` and `{dpi}` stand for their values. It must print Tesseract's "
        + "tsv format.")
    let versionArguments = reader.value(
      "versionArguments", .list(of: .nonEmptyString), default: page.versionArguments,
      doc: "The arguments that make it print its version, which is part of the pipeline version.")
    let language = reader.value(
      "language", .nonEmptyString, default: page.language,
      doc: "What `{language}` stands for: Tesseract's names, joined by `+`, such as `eng+deu`.")
    let seconds: ClosedRange<Duration> = .seconds(1) ... .seconds(86400)
    let wallTime = reader.value(
      "wallTime", .duration(in: seconds), default: page.wallTime, doc: "Wall time for one page.")
    let cpuTime = reader.value(
      "cpuTime", .duration(in: seconds), default: .seconds(page.cpuSeconds), doc: "CPU time for one page.")
    let memory = reader.value(
      "memory", .byteSize(in: (64 << 20)...(1 << 40)), default: page.memoryBytes,
      doc: "Address space of the program.")
    let outputBytes = reader.value(
      "outputBytes", .byteSize(in: (64 << 10)...(1 << 32)), default: page.outputBytes,
      doc: "Most bytes that it may print for one page, or write to one file.")
    let concurrency = reader.value(
      "concurrency", .int(in: 1...64), default: page.concurrency, doc: "Pages read at the same time.")
    pages = RecognitionSettings(
      takesGarbled: reader.value(
        "garbled", .bool, default: document.takesGarbled,
        doc: "Whether pages whose text is garbled are read from their image too."),
      dotsPerInch: Double(
        reader.value(
          "resolution", .int(in: 72...600), default: Int(document.dotsPerInch),
          doc: "Dots per inch of the images; a large page gets fewer, so that an image has 20 million pixels at most.")),
      minimumConfidence: Float(
        reader.value(
          "minimumConfidence", .double(in: 0...1), default: Double(document.minimumConfidence),
          doc: "Text below this mean confidence is not taken: the page stays unreadable.")),
      pagesPerDocument: reader.value(
        "maxPages", .int(in: 1...100_000), default: document.pagesPerDocument,
        doc: "Most pages of one document that are read from their image."),
      documentTime: reader.value(
        "documentTime", .duration(in: seconds), default: document.documentTime,
        doc: "No page is begun after this time with one document."), width: concurrency)
    if kind == .textract {
      if command != nil { reader.reject("command", "has no meaning with ocr.kind 'textract'") }
      recognizer = .textract(concurrency: concurrency)
      return
    }
    guard let command else { return }
    pricePerThousandPages = 0
    let made = CommandRecognizerConfiguration(
      command: command, arguments: arguments, versionArguments: versionArguments, language: language,
      wallTime: wallTime, cpuSeconds: Int(cpuTime.components.seconds), memoryBytes: memory, outputBytes: outputBytes,
      concurrency: concurrency)
    if !arguments.contains(where: { $0.contains("{image}") }) {
      reader.reject("arguments", "must have {image} in one of them, or the program has nothing to read")
    }
    if let unknown = made.unknownPlaceholders.first {
      reader.reject("arguments", "has {\(unknown)}; only {image}, {language} and {dpi} have a meaning")
    }
    if language.hasPrefix("-") { reader.reject("language", "must not begin with '-'") }
    recognizer = .command(made)
  }
}
