import Foundation
import Pruning
import Testing

@Suite struct BudgetTests {
    @Test func targetsAreReadFromText() throws {
        #expect(try Budget(parsing: "macs=0.5") == Budget(.macs, 0.5))
        #expect(try Budget(parsing: "params=0.25") == Budget(.params, 0.25))
        #expect(try Budget(parsing: "sparsity=0.3") == Budget(.sparsity, 0.3))
        #expect(try Budget(parsing: "macs=0.5").description == "macs=0.5")
        #expect(try Budget(parsing: Budget(.params, 0.4).description) == Budget(.params, 0.4))
    }

    @Test func sparsityIsWhatLeavesAndTheOthersWhatStays() throws {
        #expect(try Budget(.macs, 0.4).remaining == 0.4)
        #expect(try Budget(.params, 0.4).remaining == 0.4)
        #expect(try Budget(.sparsity, 0.75).remaining == 0.25)
        #expect(Budget.Quantity.macs.cost == .macs)
        #expect(Budget.Quantity.params.cost == .parameters)
        #expect(Budget.Quantity.sparsity.cost == .channels)
    }

    @Test(arguments: ["", "macs", "macs=", "=0.5", "macs=half", "flops=0.5", "macs 0.5", "macs=0.5=0.6", "MACS=0.5"])
    func unreadableTargetsAreRefusedWithTheForm(text: String) {
        #expect {
            try Budget(parsing: text)
        } throws: {
            "\($0)".contains("'\(text)'") && "\($0)".contains("macs, params, sparsity")
        }
    }

    @Test(arguments: ["0", "1", "-0.5", "1.5", "nan", "inf"]) func targetsOutsideTheOpenUnitIntervalAreRefused(
        value: String
    ) {
        for quantity in Budget.Quantity.allCases {
            #expect {
                try Budget(parsing: "\(quantity.rawValue)=\(value)")
            } throws: {
                "\($0)".contains(quantity.rawValue) && "\($0)".contains("between 0 and 1")
            }
        }
    }
}
