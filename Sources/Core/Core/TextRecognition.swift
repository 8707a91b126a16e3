/// Says that a page's text was read from its image, not from the file.
public struct TextRecognition: Sendable, Hashable, Codable {
  /// The recognizer and its version, such as `tesseract 5.3.0`.
  public var recognizer: String
  /// The mean confidence of the page's characters as the recognizer states it, 0 to 1.
  public var confidence: Float

  /// Creates a mark.
  public init(recognizer: String, confidence: Float) {
    self.recognizer = recognizer
    self.confidence = confidence
  }
}

/// A page as an image, as it is displayed (crop box, rotation applied).
public struct PageImage: Sendable {
  /// A PNG file.
  public var png: [UInt8]
  /// Resolution, dots per inch.
  public var dotsPerInch: Double
  /// What messages call the page.
  public var name: String

  /// Creates an image.
  public init(png: [UInt8], dotsPerInch: Double, name: String) {
    self.png = png
    self.dotsPerInch = dotsPerInch
    self.name = name
  }
}

/// A word read from an image.
public struct RecognizedWord: Sendable, Hashable {
  /// The word, without white space around it.
  public var text: String
  /// Its place in parts of the image: 0 at the left and top edge, 1 at the right and bottom edge.
  public var box: Box
  /// 0 to 1.
  public var confidence: Float
  /// The paragraph it is of, counted over the page: words of one line are of one paragraph.
  public var paragraph: Int
  /// The line it stands on, counted over the page.
  public var line: Int

  /// Creates a word.
  public init(text: String, box: Box, confidence: Float, paragraph: Int, line: Int) {
    self.text = text
    self.box = box
    self.confidence = confidence
    self.paragraph = paragraph
    self.line = line
  }
}

/// Reads text from images of pages (OCR). Conforming types keep limits of their own on time, memory and output.
public protocol TextRecognizer: Sendable {
  /// The recognizer and its version for people, such as `tesseract 5.3.0`; stored with each page it reads.
  var name: String { get }
  /// Everything else that bears on the text it reads, such as arguments and language, in one line.
  var settings: String { get }
  /// Its limits, in one line: pages that failed are worth another try once these change.
  var limits: String { get }
  /// Reads the words of an image in reading order; none when there are none.
  /// - Throws: A ``CategorizedError`` that names the limit or the failure; `CancellationError`.
  func recognize(_ image: PageImage) async throws -> [RecognizedWord]
}
