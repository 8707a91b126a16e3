/// The command that reads text from images of pages, and its limits on each page. A breach ends that page, never the
/// document.
public struct CommandRecognizerConfiguration: Sendable, Hashable {
  /// The program: a path, or a name that is looked up in `PATH`.
  public var command: String
  /// Its arguments, in which `{image}`, `{language}` and `{dpi}` stand for their values. They are given to the program
  /// as they are: no shell reads them.
  public var arguments: [String]
  /// The arguments that make it print its name and version.
  public var versionArguments: [String]
  /// What `{language}` stands for.
  public var language: String
  /// Time the program may take for a page.
  public var wallTime: Duration
  /// Processor time for a page, whole seconds, all threads together.
  public var cpuSeconds: Int
  /// Virtual memory, bytes.
  public var memoryBytes: Int
  /// Most bytes on standard output, and of each file that it writes.
  public var outputBytes: Int
  /// Programs running at once; more pages wait.
  public var concurrency: Int

  /// The arguments of Tesseract 4 and 5.
  public static let tesseractArguments = ["{image}", "stdout", "-l", "{language}", "--dpi", "{dpi}", "tsv"]
  /// What may stand in braces.
  public static let placeholders: Set<String> = ["image", "language", "dpi"]

  /// A configuration with limits that real pages do not reach.
  public init(
    command: String, arguments: [String] = tesseractArguments, versionArguments: [String] = ["--version"],
    language: String = "eng", wallTime: Duration = .seconds(120), cpuSeconds: Int = 120, memoryBytes: Int = 2 << 30,
    outputBytes: Int = 64 << 20, concurrency: Int = 2
  ) {
    self.command = command
    self.arguments = arguments
    self.versionArguments = versionArguments
    self.language = language
    self.wallTime = wallTime
    self.cpuSeconds = max(1, cpuSeconds)
    self.memoryBytes = memoryBytes
    self.outputBytes = outputBytes
    self.concurrency = max(1, concurrency)
  }

  /// The arguments for one image.
  func arguments(image: String, dotsPerInch: Double) -> [String] {
    let values = ["image": image, "language": language, "dpi": String(Int(dotsPerInch.rounded()))]
    return arguments.map { Self.filled($0, values) }
  }

  /// Names in braces that have no meaning, in all arguments.
  public var unknownPlaceholders: [String] {
    arguments.flatMap { Self.parts(of: $0).compactMap(\.name) }.filter { !Self.placeholders.contains($0) }
  }

  /// One pass, so that a value with braces in it is not taken for a placeholder.
  private static func filled(_ argument: String, _ values: [String: String]) -> String {
    parts(of: argument).map { part in part.name.flatMap { values[$0] } ?? part.text }.joined()
  }

  private static func parts(of argument: String) -> [(text: String, name: String?)] {
    var parts: [(String, String?)] = []
    var rest = argument[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      let name = String(rest[rest.index(after: open)..<close])
      let isName = !name.isEmpty && name.utf8.allSatisfy { (0x61...0x7A).contains($0) }
      parts.append((String(rest[..<open]), nil))
      parts.append((String(rest[open...close]), isName ? name : nil))
      rest = rest[rest.index(after: close)...]
    }
    return parts + [(String(rest), nil)]
  }
}
