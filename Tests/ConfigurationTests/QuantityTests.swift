import Configuration
import Testing

@Suite struct QuantityTests {
  private func read<Value>(_ text: String, _ kind: ValueKind<Value>) -> Value? {
    try? kind.parse(YAMLNode(.scalar(text, isPlain: true)))
  }

  @Test(arguments: [
    ("0", Duration.zero), ("30s", .seconds(30)), ("5m", .seconds(300)), ("250ms", .milliseconds(250)),
    ("1.5h", .seconds(5400)), ("1h30m", .seconds(5400)), ("7d", .seconds(604_800)), ("10us", .microseconds(10)),
    ("90 s", .seconds(90)), ("1m1ms", .milliseconds(60_001)),
  ])
  func readsDurations(text: String, expected: Duration) {
    #expect(read(text, .duration()) == expected)
  }

  @Test(arguments: ["30", "", "s", "-5s", "5x", "1m1h", "1s1s", "1e3s", "inf", "999999999999d", "5 m x", "0x1s"])
  func refusesWhatIsNoDuration(text: String) {
    #expect(read(text, .duration()) == nil)
  }

  @Test(arguments: [
    ("0", 0), ("4096", 4096), ("512 MiB", 536_870_912), ("512MiB", 536_870_912), ("1.5 GB", 1_500_000_000),
    ("1 kB", 1000), ("1 KiB", 1024), ("2 TiB", 2 << 40), ("7 B", 7), ("0.5 KiB", 512),
  ])
  func readsByteSizes(text: String, expected: Int) {
    #expect(read(text, .byteSize()) == expected)
  }

  @Test(arguments: ["", "MiB", "-1", "1 mib", "1 XB", "1e3", "9999999999 TiB", "99999999999999999999", "1..5 GB"])
  func refusesWhatIsNoByteSize(text: String) {
    #expect(read(text, .byteSize()) == nil)
  }

  @Test(arguments: ["0", "30s", "1m30s", "250ms", "1h", "7d", "1d2h3m4s5ms6us7ns"])
  func writesDurations_asTheyAreRead(text: String) throws {
    let value = try #require(read(text, .duration()))
    #expect(ValueKind.duration().render(value) == text)
  }

  @Test(arguments: ["0", "1 KiB", "512 MiB", "2 GiB", "3 kB", "5 GB", "1234567"])
  func writesByteSizes_asTheyAreRead(text: String) throws {
    let value = try #require(read(text, .byteSize()))
    #expect(ValueKind.byteSize().render(value) == text)
  }

  @Test(arguments: ["nan", "inf", "-inf", "0x10", "1_000", "", "1,5", "Infinity", "1e999"])
  func refusesWhatIsNoDecimalNumber(text: String) {
    #expect(read(text, .double()) == nil)
  }
}
