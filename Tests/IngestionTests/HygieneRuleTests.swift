import Core
import Ingestion
import Testing

/// Every rule is needed: each has pages that are right with all rules and wrong without it.
@Suite struct HygieneRuleTests {
  @Test(arguments: HygieneRule.allCases) func itsPagesAreRightWithTheRuleAndWrongWithoutIt(_ rule: HygieneRule) {
    let specimen = HygieneSpecimen.of(rule)
    let extracted = specimen.pages.map(\.extracted)
    let with = PageHygiene().pages(from: extracted, outline: [])
    #expect(specimen.isRight(with), "with \(rule): \(with.map(\.text)) \(with.map { $0.blocks.map(\.kind) })")
    let without = PageHygiene(without: [rule]).pages(from: extracted, outline: [])
    #expect(!specimen.isRight(without), "without \(rule): \(without.map(\.text))")
  }

  @Test(arguments: HygieneRule.allCases) func everyVisibleScalarOfItsPagesHasABox(_ rule: HygieneRule) {
    for page in PageHygiene().pages(from: HygieneSpecimen.of(rule).pages.map(\.extracted), outline: []) {
      let scalars = Array(page.text.unicodeScalars)
      #expect(page.boxes.count == scalars.count)
      for (scalar, box) in zip(scalars, page.boxes) { #expect((box == nil) == scalar.properties.isWhitespace) }
    }
  }
}
