/// What documents are made by now, and how to tell which of them were made otherwise.
///
/// Recognition of text in images (OCR) counts only for documents that have pages it would read: turning it on makes
/// those stale and no others; turning it off makes none stale, since recognised text is better than none.
public struct CurrentPipeline: Sendable, Hashable {
  /// Extractor, hygiene and chunker.
  public var base: PipelineVersion
  /// How images are read; nil while recognition is off.
  public var recognition: Recognition?

  /// The part that recognition has in a pipeline version.
  public struct Recognition: Sendable, Hashable {
    /// Names the recognizer and everything that bears on its text.
    public var version: String
    /// Names the limits: it is added for documents some of whose pages broke one, or failed otherwise.
    public var limitsVersion: String
    /// The pages that are recognised.
    public var coverages: Set<PageCoverage>

    /// Creates the part.
    public init(version: String, limitsVersion: String, coverages: Set<PageCoverage>) {
      self.version = version
      self.limitsVersion = limitsVersion
      self.coverages = coverages
    }
  }

  /// Creates a description.
  public init(base: PipelineVersion, recognition: Recognition? = nil) {
    self.base = base
    self.recognition = recognition
  }

  private static let mark = "/ocr-"

  /// What the versions of documents with recognised pages begin with, whichever recognizer read them.
  public var recognizedPrefix: String { base.rawValue + Self.mark }

  /// The version of a document all of whose pages that needed it were recognised; nil while recognition is off.
  public var recognized: PipelineVersion? {
    recognition.map { PipelineVersion(rawValue: recognizedPrefix + $0.version) }
  }

  /// The version of a document of which recognition failed on some pages; nil while recognition is off.
  public var partlyRecognized: PipelineVersion? {
    recognition.map { PipelineVersion(rawValue: "\(recognizedPrefix)\($0.version)-failed-\($0.limitsVersion)") }
  }

  /// Whether a document made by `pipeline` with these pages would be made the same way now.
  public func isCurrent(_ pipeline: PipelineVersion, coverage: [PageCoverage: Int]) -> Bool {
    guard let recognition else { return pipeline == base || pipeline.rawValue.hasPrefix(recognizedPrefix) }
    if pipeline == recognized || pipeline == partlyRecognized { return true }
    return pipeline == base && !coverage.contains { recognition.coverages.contains($0.key) && $0.value > 0 }
  }
}

extension PipelineVersion {
  /// The version of chunks that `chunker` cuts now from pages that this pipeline made earlier: ids of chunks follow from
  /// it, so that another text never goes under an id that was given already.
  public func rechunked(by chunker: String) -> PipelineVersion {
    let mark = "rechunked-"
    var parts = rawValue.split(separator: "/")[...]
    if let last = parts.last, last.hasPrefix(mark) {
      parts = parts.dropLast()
    } else if parts.contains(where: { $0 == chunker }) {
      return self
    }
    return PipelineVersion(rawValue: (parts + ["\(mark)\(chunker)"]).joined(separator: "/"))
  }
}
