/// The diffusers class a scheduler configuration belongs to: those whose noise is that of a list of β.
///
/// Pictures are drawn by the steps of the first two; of the others, their noise schedule and their prediction type are
/// taken, which is what a network learned with.
public enum SchedulerClass: String, Codable, Sendable, CaseIterable {
    case ddpm = "DDPMScheduler"
    case ddim = "DDIMScheduler"
    case ddimInverse = "DDIMInverseScheduler"
    case ddimParallel = "DDIMParallelScheduler"
    case ddpmParallel = "DDPMParallelScheduler"
    case deis = "DEISMultistepScheduler"
    case dpmSolverInverse = "DPMSolverMultistepInverseScheduler"
    case dpmSolverMultistep = "DPMSolverMultistepScheduler"
    case dpmSolverSDE = "DPMSolverSDEScheduler"
    case dpmSolverSinglestep = "DPMSolverSinglestepScheduler"
    case eulerAncestral = "EulerAncestralDiscreteScheduler"
    case euler = "EulerDiscreteScheduler"
    case heun = "HeunDiscreteScheduler"
    case kdpm2Ancestral = "KDPM2AncestralDiscreteScheduler"
    case kdpm2 = "KDPM2DiscreteScheduler"
    case lcm = "LCMScheduler"
    case lms = "LMSDiscreteScheduler"
    case pndm = "PNDMScheduler"
    case rePaint = "RePaintScheduler"
    case sa = "SASolverScheduler"
    case tcd = "TCDScheduler"
    case unCLIP = "UnCLIPScheduler"
    case uniPC = "UniPCMultistepScheduler"

    /// Whether the class's own steps are those of a sampler here.
    public var drawsHere: Bool { self == .ddpm || self == .ddim }

    /// What β is where a file leaves it open: defaults of diffusers 0.42.1.
    var defaultBetas: (start: Double, end: Double, schedule: BetaSchedule) {
        switch self {
        case .dpmSolverSDE, .heun, .kdpm2, .kdpm2Ancestral: (0.00085, 0.012, .linear)
        case .lcm, .tcd: (0.00085, 0.012, .scaledLinear)
        case .unCLIP: (0.0001, 0.02, .squaredCosine)
        default: (0.0001, 0.02, .linear)
        }
    }

    /// Classes of diffusers that have no list of β, and what they have in its place.
    static let otherClasses: [String: String] = [
        "CMStochasticIterativeScheduler": "noise levels of a consistency model",
        "ConsistencyDecoderScheduler": "noise levels of a consistency model",
        "CosineDPMSolverMultistepScheduler": "noise levels σ",
        "EDMDPMSolverMultistepScheduler": "noise levels σ",
        "EDMEulerScheduler": "noise levels σ",
        "CogVideoXDDIMScheduler": "β shifted by a signal-to-noise ratio",
        "CogVideoXDPMScheduler": "β shifted by a signal-to-noise ratio",
        "DDPMWuerstchenScheduler": "a continuous schedule",
        "FlowMatchEulerDiscreteScheduler": "flows",
        "FlowMatchHeunDiscreteScheduler": "flows",
        "FlowMatchLCMScheduler": "flows",
        "IPNDMScheduler": "angles",
        "KarrasVeScheduler": "noise levels σ",
        "SCMScheduler": "angles",
        "ScoreSdeVeScheduler": "noise levels σ",
        "ScoreSdeVpScheduler": "a continuous schedule",
        "VQDiffusionScheduler": "a schedule of discrete states",
    ]
}
