import ChildProcess
import Core
import Foundation
import Ingestion
import PDFReading
import Testing

/// Reading images by a command, told by shell scripts that do what a recognizer might.
@Suite struct CommandTextRecognizerTests {
  private static let header =
    "level\\tpage_num\\tblock_num\\tpar_num\\tline_num\\tword_num\\tleft\\ttop\\twidth\\theight\\tconf\\ttext\\n"
    + "1\\t1\\t0\\t0\\t0\\t0\\t0\\t0\\t100\\t100\\t-1\\t\\n"
  private static let image = PageImage(png: [UInt8](repeating: 7, count: 5000), dotsPerInch: 200, name: "page 4")

  /// A script that sees a blank image first (the trial), then does `body` with image, language and resolution as
  /// `$1` to `$3`; `word TEXT` prints a word.
  private func configuration(_ body: String) -> CommandRecognizerConfiguration {
    let script = """
      printf '\(Self.header)'
      word() { printf '5\\t1\\t1\\t1\\t1\\t1\\t10\\t10\\t20\\t20\\t80\\t%s\\n' "$1"; }
      [ $(wc -c < "$1") -lt 1000 ] && exit 0
      \(body)
      """
    return CommandRecognizerConfiguration(
      command: "/bin/sh", arguments: ["-c", script, "sh", "{image}", "{language}", "{dpi}"],
      versionArguments: ["-c", "echo 'script 1.2'; echo more"], wallTime: .seconds(60))
  }

  private func failure(_ configuration: CommandRecognizerConfiguration) async throws -> PDFReadingError? {
    let recognizer = try await CommandTextRecognizer.start(configuration)
    return await #expect(throws: PDFReadingError.self) { _ = try await recognizer.recognize(Self.image) }
  }

  @Test func theCommandGetsTheImageAsItIs_andNoShellReadsItsArguments() async throws {
    var given = configuration(#"word "$(wc -c < "$1")"; word "$2"; word "$3"; word "$(head -c 1 "$1")""#)
    given.language = "eng; $(touch /tmp/never) `x` {dpi}"
    let recognizer = try await CommandTextRecognizer.start(given)
    #expect(recognizer.name == "script 1.2")
    let words = try await recognizer.recognize(Self.image)
    #expect(words.map(\.text) == ["5000", given.language, "200", "\u{7}"])
    #expect(words.first?.box == Box(left: 0.1, top: 0.1, right: 0.3, bottom: 0.3))
  }

  @Test func theEnvironmentHasNoSecrets() async throws {
    let recognizer = try await CommandTextRecognizer.start(
      configuration(#"for n in $(env | sed 's/=.*//'); do word "$n"; done"#))
    let names = Set(try await recognizer.recognize(Self.image).map(\.text))
    let known: Set = [
      "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "OMP_THREAD_LIMIT", "TESSDATA_PREFIX", "TMPDIR", "PWD",
      "OLDPWD", "SHLVL", "_",
    ]
    #expect(names.contains("PATH") && names.contains("OMP_THREAD_LIMIT"))
    #expect(names.isSubset(of: known), "\(names.subtracting(known))")
  }

  @Test func nothingIsLeftBehind_howeverItEnds() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("quarry-ocr-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let recognizer = try await CommandTextRecognizer.start(
      configuration(#"touch beside; : > "$TMPDIR/more"; exit 3"#), temporaryFolder: folder.path)
    let error = await #expect(throws: PDFReadingError.self) { _ = try await recognizer.recognize(Self.image) }
    #expect(error?.kind == .recognitionFailed && error?.message.contains("status 3 for page 4") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test func aCommandThatIsMissing_orCannotWork_isToldAtTheStart() async throws {
    let missing = await #expect(throws: PDFReadingError.self) {
      _ = try await CommandTextRecognizer.start(CommandRecognizerConfiguration(command: "no-such-program"))
    }
    #expect(missing?.code == "ocr.command_missing" && missing?.category == .invalidConfiguration)
    #expect(missing?.remedy?.contains("tesseract-ocr") == true)
    let broken = CommandRecognizerConfiguration(
      command: "/bin/sh", arguments: ["-c", "echo 'no data for xxx' >&2; exit 1", "{image}"], language: "xxx")
    let unusable = await #expect(throws: PDFReadingError.self) { _ = try await CommandTextRecognizer.start(broken) }
    #expect(unusable?.code == "ocr.command_unusable")
    #expect(unusable?.message.contains("no data for xxx") == true && unusable?.remedy?.contains("'xxx'") == true)
  }

  @Test func wallTimeIsLimited() async throws {
    var slow = configuration("exec sleep 600")
    // The trial must fit too, also on a busy machine.
    slow.wallTime = .seconds(5)
    #expect(try await failure(slow)?.kind == .recognitionTimeLimit)
  }

  @Test func processorTimeIsLimited() async throws {
    var busy = configuration("while :; do :; done")
    busy.cpuSeconds = 1
    #expect(try await failure(busy)?.kind == .recognitionCPULimit)
  }

  @Test(arguments: ["yes", "yes > file"]) func outputIsLimited(_ body: String) async throws {
    var loud = configuration("\(body); kill -XFSZ $$")
    loud.outputBytes = 100_000
    #expect(try await failure(loud)?.kind == .recognitionOutputLimit)
  }

  @Test func memoryIsLimited_andTheLimitNamed() async throws {
    let error = try await failure(configuration("echo 'std::bad_alloc' >&2; kill -ABRT $$"))
    #expect(error?.kind == .recognitionMemoryLimit && error?.remedy?.contains("ocr.memory") == true)
    var narrow = configuration("word \"$(ulimit -v)\"")
    narrow.memoryBytes = 512 << 20
    let words = try await CommandTextRecognizer.start(narrow).recognize(Self.image)
    #expect(words.map(\.text) == ["524288"])
  }

  @Test func otherOutputIsNamedUnreadable() async throws {
    #expect(try await failure(configuration("echo 'no table'"))?.kind == .recognitionUnreadable)
  }
}

/// Tesseract itself, on pages whose true text and places Poppler tells.
@Suite(
  .enabled(
    if: ChildProcess.locate("tesseract") != nil, "tesseract is missing; run 'make setup-test'"))
struct TesseractTests {
  private static let contents = Array(
    ("BT /F1 24 Tf 40 300 Td (Alderford weir) Tj 0 -40 Td (stands since 1911) Tj 0 -40 Td (downstream) Tj ET").utf8)

  @Test(
    arguments: [
      "", "/Rotate 90", "/Rotate 180", "/Rotate 270", "/CropBox[20 20 390 380]", "/CropBox[20 20 390 380]/Rotate 90",
      "/UserUnit 2",
    ], [150.0, 300.0])
  func wordsAreWhereTheyStand_onRotatedCroppedAndScaledPages(_ entries: String, _ resolution: Double) async throws {
    var builder = PDFBuilder()
    builder.add("<</Type/Catalog/Pages 2 0 R>>")
    builder.add("<</Type/Pages/Kids[4 0 R]/Count 1>>")
    builder.add("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    // The page's content is turned against its rotation, so that it reads upright as displayed.
    let turn =
      entries.contains("Rotate 90") ? "0 1 -1 0 400 0 cm" : entries.contains("Rotate 180") ? "-1 0 0 -1 400 400 cm" : ""
    let matrix = entries.contains("Rotate 270") ? "0 -1 1 0 0 400 cm" : turn
    builder.add(
      "<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 400]/Contents 5 0 R \(entries)/Resources<</Font<</F1 3 0 R>>>>>>")
    builder.add(stream: Array("\(matrix) ".utf8) + Self.contents)
    try await withFile(builder.file(root: 1)) { path in
      let truth = try #require(try await read(path).pages.first)
      let recognizer = try await CommandTextRecognizer.start(CommandRecognizerConfiguration(command: "tesseract"))
      let recognition = PageRecognition(
        recognizer: recognizer, renderer: PDFPageImageRenderer(configuration: configuration()),
        settings: RecognitionSettings(dotsPerInch: resolution))
      let readings = try await recognition.read([truth], path: path, passwords: []) { _ in }
      let reading = try #require(readings[1])
      let found = try #require(reading.page, "\(reading.reason ?? "")")
      #expect(found.size == truth.size)
      #expect((reading.recognition?.confidence ?? 0) > 0.8)
      #expect(recognizer.name.hasPrefix("tesseract "))
      for word in ["alderford", "weir", "1911", "downstream"] {
        let expected = try #require(place(of: word, on: truth), "\(word) is cropped away: \(truth.text)")
        let box = try #require(place(of: word, on: found), "\(word) is not in '\(found.text)'")
        #expect(abs(box.left - expected.left) < 4 && abs(box.right - expected.right) < 4, "\(box) \(expected)")
        // Poppler's boxes reach from ascender to descender, Tesseract's hold the ink.
        #expect(box.midY > expected.top && box.midY < expected.bottom, "\(box) \(expected)")
      }
    }
  }

  private func place(of word: String, on page: ExtractedPage) -> Box? {
    let wanted = Array(word.unicodeScalars)
    let scalars = Array(page.text.lowercased().unicodeScalars)
    guard scalars.count == page.scalars.count, scalars.count >= wanted.count else { return nil }
    for start in 0...(scalars.count - wanted.count) where Array(scalars[start..<start + wanted.count]) == wanted {
      let boxes = page.boxes[start..<start + wanted.count].compactMap { $0 }
      return boxes.dropFirst().reduce(boxes.first) { $0?.union($1) }
    }
    return nil
  }
}
