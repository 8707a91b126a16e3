import Answering
import Core
import Foundation
import LocalModels
import Testing

/// The cosine from which two sentences count as the same in other words, tried on pairs of which people know whether
/// the second says what the first claims. Few words are shared on either side; docs/answering.md has the figures.
@Suite(.enabled(if: hasModel, Comment(rawValue: modelMissing)))
struct SupportThresholdTests {
  private static let same = [
    ("Dogs have to be on a leash.", "Canines must be kept leashed at all times."),
    ("The dam is inspected every year.", "An annual examination of the barrage takes place."),
    ("Staff get paid at the end of each month.", "Salaries are transferred to employees on the last day of the month."),
    ("Smoking is banned in all rooms.", "It is forbidden to use tobacco anywhere inside the building."),
    ("Customers may send goods back within a fortnight.", "Purchasers can return items for two weeks after delivery."),
    ("The pump stops by itself when it gets too hot.", "If the motor overheats, the unit shuts down automatically."),
    ("Children get in free.", "There is no admission charge for kids."),
    ("The bridge was closed because of flooding.", "High water forced the authorities to shut the crossing."),
    ("Nobody was hurt in the accident.", "The crash caused no injuries."),
    ("You need a password to open the file.", "The document is protected and asks for a secret word before it opens."),
    ("Profits fell compared with the year before.", "Earnings were lower than in the previous year."),
    ("The roof was repaired after the storm.", "Following the gale, damage to the roofing was fixed."),
    ("Fish can swim past the weir by a ladder.", "A stepped channel lets salmon and trout get around the barrage."),
    ("The machine must be cleaned daily.", "Wash the equipment every day."),
    ("The doctor advised more sleep.", "The physician recommended that the patient rest longer at night."),
  ]

  private static let different = [
    ("Dogs have to be on a leash.", "Visitors may enter the gallery on Sundays."),
    ("The dam is inspected every year.", "The barrage was built by the river trust."),
    ("Staff get paid at the end of each month.", "Employees are entitled to a break in the afternoon."),
    ("Smoking is banned in all rooms.", "The building has a lift and a cellar."),
    ("Customers may send goods back within a fortnight.", "Purchasers pay for delivery to islands."),
    ("The pump stops by itself when it gets too hot.", "The motor is delivered without oil."),
    ("Children get in free.", "The museum shop sells toys and postcards."),
    ("The bridge was closed because of flooding.", "The crossing carries a road and a footpath."),
    ("Nobody was hurt in the accident.", "The road was blocked for hours after the crash."),
    ("You need a password to open the file.", "The document has many pages and a table of contents."),
    ("Profits fell compared with the year before.", "The company opened an office in the capital."),
    ("The roof was repaired after the storm.", "Slates were laid on battens of larch."),
    ("Fish can swim past the weir by a ladder.", "The barrage holds back water for the mill."),
    ("The machine must be cleaned daily.", "The equipment is delivered in wooden crates."),
    ("The doctor advised more sleep.", "The physician works at the hospital on weekdays."),
  ]

  private func cosines(_ pairs: [(String, String)]) async throws -> [Float] {
    let directory = ModelFiles.defaultDirectory(environment: ProcessInfo.processInfo.environment)
    let embedder = try LocalEmbedder(files: ModelFiles(directory: directory), threads: 1)
    let vectors = try await embedder.embed(pairs.flatMap { [$0.0, $0.1] }, as: .document)
    return pairs.indices.map { vectors[2 * $0].cosine(to: vectors[2 * $0 + 1]) }
  }

  @Test func partsWhatIsTheSameFromWhatIsNot() async throws {
    let same = try await cosines(Self.same).sorted()
    let different = try await cosines(Self.different).sorted()
    if ProcessInfo.processInfo.environment["QUARRY_LONG_TESTS"] != nil { print("same \(same)\ndifferent \(different)") }
    // A claim that is not there must not pass for one that is; the other error only costs a mark.
    #expect(different.allSatisfy { $0 < SupportCheck.similarity })
    #expect(same.count { $0 >= SupportCheck.similarity } >= 9)
  }
}
