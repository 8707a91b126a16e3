import Core

/// Which pages are read from their image, and what that may cost. The recognizer has limits of its own on a page.
public struct RecognitionSettings: Sendable, Hashable {
  /// Whether pages with garbled text are read from their image too.
  public var takesGarbled: Bool
  /// Resolution of the images, dots per inch.
  public var dotsPerInch: Double
  /// Text below this mean confidence (0 to 1) is not taken.
  public var minimumConfidence: Float
  /// Most pages of one document.
  public var pagesPerDocument: Int
  /// No page is begun after this time with one document, waiting included.
  public var documentTime: Duration
  /// Pages of one document in work at once.
  public var width: Int

  /// Creates settings.
  public init(
    takesGarbled: Bool = false, dotsPerInch: Double = 300, minimumConfidence: Float = 0.5,
    pagesPerDocument: Int = 500, documentTime: Duration = .seconds(1800), width: Int = 2
  ) {
    self.takesGarbled = takesGarbled
    self.dotsPerInch = dotsPerInch
    self.minimumConfidence = minimumConfidence
    self.pagesPerDocument = max(0, pagesPerDocument)
    self.documentTime = documentTime
    self.width = max(1, width)
  }

  /// The pages that are recognised.
  var coverages: Set<PageCoverage> { takesGarbled ? [.imageOnly, .garbled] : [.imageOnly] }
}

/// What became of a document's pages that need their image read.
enum RecognitionOutcome: Sendable {
  /// There were none, or recognition is off.
  case notNeeded
  /// All were looked at to the end.
  case done
  /// Some failed, or came after a limit was reached.
  case failedOnSome
}

extension CurrentPipeline {
  /// The version of a document of which recognition became that.
  func version(after outcome: RecognitionOutcome) -> PipelineVersion {
    switch outcome {
    case .notNeeded: base
    case .done: recognized ?? base
    case .failedOnSome: partlyRecognized ?? base
    }
  }
}
