import ChildProcess
import Concurrency
public import Core
import FoundationEssentials
import Glibc

/// Reads images of pages by a command such as Tesseract, one process a page: the image as a file in a folder of its
/// own, the words as a table on standard output (see `RecognizedTable`).
public struct CommandTextRecognizer: TextRecognizer {
  private let configuration: CommandRecognizerConfiguration
  private let executable: String
  private let permits: AsyncSemaphore
  private let folder: String
  /// The program and its version as it states them.
  public let name: String

  private init(configuration: CommandRecognizerConfiguration, executable: String, name: String, folder: String) {
    self.configuration = configuration
    self.executable = executable
    self.name = name
    self.folder = folder
    permits = AsyncSemaphore(width: configuration.concurrency)
  }

  /// What else bears on the text.
  public var settings: String { (configuration.arguments + [configuration.language]).joined(separator: "\u{1F}") }

  /// The limits on a page.
  public var limits: String {
    "\(configuration.wallTime) \(configuration.cpuSeconds) \(configuration.memoryBytes) \(configuration.outputBytes)"
  }

  /// Finds the command, asks for its version, and tries it on a blank image, so that a program that is missing or a
  /// language without data shows before any document is read.
  /// - Parameter temporaryFolder: Where images are put; nil for `TMPDIR`, else `/tmp`.
  /// - Throws: `ocr.command_missing`, `ocr.command_unusable`; `CancellationError`.
  public static func start(
    _ configuration: CommandRecognizerConfiguration, temporaryFolder: String? = nil
  ) async throws -> CommandTextRecognizer {
    guard let executable = ChildProcess.locate(configuration.command) else {
      throw PDFReadingError(
        .recognizerMissing, "there is no program '\(configuration.command)', which reads images of pages",
        remedy: "Install it (Debian: apt-get install tesseract-ocr), or correct ocr.command, or leave it out.")
    }
    let given = ChildProcess.inheritedEnvironment()["TMPDIR"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    let recognizer = CommandTextRecognizer(
      configuration: configuration, executable: executable,
      name: try await statedName(executable, configuration), folder: temporaryFolder ?? given ?? "/tmp")
    do {
      _ = try await recognizer.recognize(PageImage(png: blankImage, dotsPerInch: 300, name: "a blank image"))
    } catch let error as PDFReadingError where error.kind != .recognizerUnusable {
      throw PDFReadingError(
        .recognizerUnusable, "the command '\(configuration.command)' does not work: \(error.message)",
        remedy: "Check ocr.arguments and that the data of ocr.language '\(configuration.language)' is installed "
          + "(Debian: tesseract-ocr-…; tesseract --list-langs), and the limits under ocr.", underlying: error)
    }
    return recognizer
  }

  /// Reads the words of an image.
  /// - Throws: ``PDFReadingError`` with a code `ocr.…`; `CancellationError`.
  public func recognize(_ image: PageImage) async throws -> [RecognizedWord] {
    try await permits.withPermit {
      let work = try await runBlocking(label: "quarry.ocr.files") { [folder] () throws(PDFReadingError) in
        try ImageFolder(in: folder, png: image.png)
      }
      let outcome: Result<ChildProcess.Completed, any Error>
      do { outcome = .success(try await run(image, work)) } catch { outcome = .failure(error) }
      await runBlocking(label: "quarry.ocr.files") { work.remove() }
      let output = try completed(outcome, image)
      do throws(RecognizedTable.Malformed) {
        return try RecognizedTable(output).words
      } catch {
        throw PDFReadingError(
          .recognitionUnreadable,
          "the output of '\(configuration.command)' for \(image.name) cannot be read: "
            + error.reason, remedy: "Make ocr.arguments ask for Tesseract's tsv format on standard output.")
      }
    }
  }

  private func run(_ image: PageImage, _ work: ImageFolder) async throws -> ChildProcess.Completed {
    try await ChildProcess.run(
      executable: executable, arguments: configuration.arguments(image: work.image, dotsPerInch: image.dotsPerInch),
      environment: Self.environment(folder: work.path), directory: work.path,
      limits: ProcessLimits(
        addressSpace: UInt64(max(0, configuration.memoryBytes)), cpuSeconds: UInt64(configuration.cpuSeconds),
        fileSize: UInt64(max(0, configuration.outputBytes))),
      deadline: .now + configuration.wallTime, outputLimit: configuration.outputBytes, errorLimit: 8192)
  }

  /// The output of a run that went well; else the limit it broke, or how it failed.
  private func completed(
    _ outcome: Result<ChildProcess.Completed, any Error>, _ image: PageImage
  ) throws -> [UInt8] {
    let command = "'\(configuration.command)'"
    func tooMuch(_ kind: PDFReadingError.Code, _ what: String, _ key: String) -> PDFReadingError {
      PDFReadingError(
        kind, "\(command) took more than the \(what) allowed for \(image.name)",
        remedy: "If it is worth it, raise \(key).")
    }
    let run: ChildProcess.Completed
    do {
      run = try outcome.get()
    } catch let error as ChildProcessError where error.code == .outputTooLarge {
      throw tooMuch(.recognitionOutputLimit, "\(configuration.outputBytes) bytes of output", "ocr.outputBytes")
    } catch let error as ChildProcessError {
      throw PDFReadingError(
        .recognizerUnusable, "\(command) cannot be run: \(error.message)", remedy: error.remedy, underlying: error)
    }
    if run.end.isSuccess { return run.output }
    if run.end.killCause == .deadline {
      throw tooMuch(.recognitionTimeLimit, "\(configuration.wallTime.components.seconds) s", "ocr.wallTime")
    }
    let said = String(decoding: run.error, as: UTF8.self)
    let cpu = run.end.userTime + run.end.systemTime
    switch run.end.status {
    case .signalled(let number)
    where number == SIGXCPU || number == SIGKILL && cpu >= .seconds(configuration.cpuSeconds):
      throw tooMuch(.recognitionCPULimit, "\(configuration.cpuSeconds) s of processor time", "ocr.cpuTime")
    case .signalled(SIGXFSZ):
      throw tooMuch(.recognitionOutputLimit, "\(configuration.outputBytes) bytes of output", "ocr.outputBytes")
    case _ where Self.memoryPhrases.contains(where: said.contains):
      throw tooMuch(.recognitionMemoryLimit, "\(configuration.memoryBytes >> 20) MiB of memory", "ocr.memory")
    case .signalled(let number): throw failed("was ended by signal \(number)", said, image)
    case .exited(let status): throw failed("ended with status \(status)", said, image)
    case .unknown: throw failed("ended", said, image)
    }
  }

  private func failed(_ how: String, _ said: String, _ image: PageImage) -> PDFReadingError {
    let words = Self.printable(said.split(whereSeparator: \.isNewline).suffix(4).joined(separator: "; "), limit: 300)
    return PDFReadingError(
      .recognitionFailed, "'\(configuration.command)' \(how) for \(image.name)" + (words.isEmpty ? "" : ": \(words)"),
      remedy: "Try the command by hand on an image of the page; if it ran out of memory, raise ocr.memory.")
  }

  /// What the C library, the loader, Leptonica and the C++ library say when memory runs out.
  private static let memoryPhrases = [
    "bad_alloc", "Cannot allocate memory", "failed to map segment", "out of memory", "Out of memory", "calloc fail",
    "malloc fail", "failed to allocate",
  ]

  private static func statedName(
    _ executable: String, _ configuration: CommandRecognizerConfiguration
  ) async throws -> String {
    let plain = executable.split(separator: "/").last.map(String.init) ?? executable
    do {
      let run = try await ChildProcess.run(
        executable: executable, arguments: configuration.versionArguments, environment: environment(folder: "/tmp"),
        deadline: .now + .seconds(30), outputLimit: 64 << 10)
      // Tesseract 3 says it on standard error.
      let said = (run.output.isEmpty ? run.error : run.output).split(separator: UInt8(ascii: "\n")).first ?? []
      let line = printable(String(decoding: said, as: UTF8.self), limit: 60)
      return run.end.isSuccess && !line.isEmpty ? line : plain
    } catch let error as ChildProcessError {
      throw PDFReadingError(
        .recognizerUnusable, "'\(configuration.command)' cannot be run: \(error.message)", remedy: error.remedy,
        underlying: error)
    }
  }

  /// Only what the loader and Tesseract need: secrets are no business of a program that reads strangers' images.
  /// One thread a process, since pages are read side by side.
  private static func environment(folder: String) -> [String: String] {
    let allowed: Set<String> = [
      "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "OMP_THREAD_LIMIT", "TESSDATA_PREFIX",
    ]
    var environment = ChildProcess.inheritedEnvironment().filter { allowed.contains($0.key) }
    if environment["OMP_THREAD_LIMIT"] == nil { environment["OMP_THREAD_LIMIT"] = "1" }
    environment["TMPDIR"] = folder
    return environment
  }

  private static func printable(_ text: String, limit: Int) -> String {
    var view = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.suffix(10 * limit) {
      view.append(scalar.properties.generalCategory == .control ? " " : scalar)
    }
    return String(String(view).prefix(limit)).split(separator: " ").joined(separator: " ")
  }

  /// 200 by 100 white pixels.
  private static let blankImage: [UInt8] = [
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0x00, 0x00, 0x0D, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00,
    0x00, 0xC8, 0x00, 0x00, 0x00, 0x64, 0x01, 0x00, 0x00, 0x00, 0x00, 0xEB, 0xFD, 0x42, 0xA6, 0x00, 0x00, 0x00,
    0x20, 0x49, 0x44, 0x41, 0x54, 0x78, 0xDA, 0xED, 0xC9, 0x31, 0x01, 0x00, 0x00, 0x0C, 0x02, 0x20, 0xFB, 0x97,
    0xD6, 0x04, 0x4B, 0x30, 0x78, 0x49, 0x2F, 0x31, 0xC6, 0x18, 0x63, 0x8C, 0x31, 0x8F, 0x67, 0xA7, 0xF0, 0xBA,
    0xC4, 0x0B, 0xF0, 0xB0, 0x2C, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
  ]
}

/// A folder of its own with an image in it, which only this user can read.
private struct ImageFolder: Sendable {
  let path: String
  var image: String { "\(path)/page.png" }

  init(in parent: String, png: [UInt8]) throws(PDFReadingError) {
    var template = Array("\(parent)/quarry-ocr-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Self.failure("cannot make a temporary folder in \(parent)") }
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    let descriptor = open(image, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      let error = Self.failure("cannot write to \(path)")
      remove()
      throw error
    }
    var offset = 0
    while offset < png.count {
      let count = png.withUnsafeBytes { write(descriptor, $0.baseAddress.map { $0 + offset }, $0.count - offset) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let error = Self.failure("cannot write to \(path)")
        close(descriptor)
        remove()
        throw error
      }
      offset += count
    }
    close(descriptor)
  }

  /// Removes it with whatever the command left there.
  func remove() { try? FileManager.default.removeItem(atPath: path) }

  private static func failure(_ what: String) -> PDFReadingError {
    PDFReadingError(
      .recognitionFailed, "\(what): \(String(cString: strerror(errno)))",
      remedy: "Set TMPDIR to a folder with space that can be written.")
  }
}
