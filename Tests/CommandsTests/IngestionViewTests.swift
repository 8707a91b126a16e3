import Commands
import Core
import Ingestion
import Testing

@Suite struct IngestionViewTests {
  private func snapshot() -> IngestionActivity.Snapshot {
    var snapshot = IngestionActivity.Snapshot()
    snapshot.found = 80
    snapshot.finished = 20
    snapshot.failed = 1
    snapshot.pagesPerSecond = 3.25
    snapshot.chunksPerSecond = 41
    snapshot.remaining = .seconds(130)
    snapshot.inWork = [
      .init(
        uri: SourceURI(filePath: "/library/big\u{1B}[2J.pdf"), stage: .reading, done: 120, total: 900,
        elapsed: .seconds(3700)),
      .init(
        uri: SourceURI(filePath: "/library/small.pdf"), stage: .opening, done: 0, total: 0, elapsed: .seconds(1)),
    ]
    return snapshot
  }

  @Test func showsHowFarItIs_andWhatTakesLongest() {
    let lines = IngestionView.lines(snapshot(), columns: 120)
    #expect(lines.count == 2)
    #expect(lines[0] == "█████░░░░░░░░░░░░░░░ 20/80 · 1 failed · 3.3 pages/s · 41.0 chunks/s · 2m 10s left")
    #expect(lines[1].hasPrefix("reading 120/900 pages, 1h 1m (and 1 more)  big"))
    #expect(!lines[1].contains("\u{1B}"))
  }

  @Test(arguments: [1, 2, 20, 40, 79])
  func fitsTheTerminal(columns: Int) {
    for line in IngestionView.lines(snapshot(), columns: columns) {
      #expect(DisplayWidth.of(line) <= max(1, columns - 1))
    }
  }

  @Test func saysNothingOfWhatIsNotKnown() {
    #expect(IngestionView.lines(.init(), columns: 80) == ["░░░░░░░░░░░░░░░░░░░░ 0/0"])
    #expect(
      IngestionView.fields(.init()) == "progress documents=0/0 failed=0 pages_per_second=0.0 chunks_per_second=0.0")
  }

  @Test func fieldsAreForMachines() {
    let line = IngestionView.fields(snapshot())
    #expect(line.hasPrefix("progress documents=20/80 failed=1 pages_per_second=3.3 chunks_per_second=41.0 "))
    #expect(line.contains("remaining_seconds=130 stage=reading done=120/900 seconds=3700 document=\"big"))
    #expect(!line.contains("\u{1B}"))
  }

  @Test(arguments: [("abc", 3), ("報告", 4), ("e\u{301}", 1), ("🍐", 2), ("", 0)])
  func widthIsThatOfTheTerminal(text: String, width: Int) {
    #expect(DisplayWidth.of(text) == width)
  }

  @Test(arguments: [("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("報告書", 4, "報…"), ("abc", 0, "")])
  func longTextEndsInAnEllipsis(text: String, columns: Int, fitted: String) {
    #expect(DisplayWidth.fit(text, columns) == fitted)
  }
}
