using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// How a diffusion model goes from noise to an image: which steps it takes, and how it makes each of them of what its network says. All
/// work with every model, since they solve the same equation; they differ in how many steps they need, and in whether they add noise on
/// the way. Those that add none give the same image with more steps, only cleaner; those that add some give another.
/// </summary>
public enum DiffusionScheduler
{
    /// <summary>
    /// The reverse process as it was first written down: noise at every step, and hundreds of steps
    /// (<see href="https://arxiv.org/abs/2006.11239">Ho et al., 2020</see>). For models that were trained so, where time does not matter.
    /// </summary>
    [ConfigName("DDPMScheduler")]
    Ddpm,

    /// <summary>
    /// The same model without noise on the way, in 20 to 50 steps, or with as much as <c>eta</c> says
    /// (<see href="https://arxiv.org/abs/2010.02502">Song et al., 2020</see>). Simple and steady: the one to begin with.
    /// </summary>
    [ConfigName("DDIMScheduler")]
    Ddim,

    /// <summary>
    /// DDIM with the last four noises combined, and perhaps a start by Runge-Kutta
    /// (<see href="https://arxiv.org/abs/2202.09778">Liu et al., 2022</see>). The default of Stable Diffusion 1; about 50 steps.
    /// </summary>
    [ConfigName("PNDMScheduler")]
    Pndm,

    /// <summary>
    /// A linear multistep method of order four over the noise levels of
    /// <see href="https://arxiv.org/abs/2206.00364">Karras et al., 2022</see>. 20 to 50 steps, for results of earlier days.
    /// </summary>
    [ConfigName("LMSDiscreteScheduler")]
    Lms,

    /// <summary>
    /// Straight steps along the slope (<see href="https://arxiv.org/abs/2206.00364">Karras et al., 2022</see>, algorithm 2, by default
    /// without its noise). Fast and robust with 20 to 30 steps; the default of Stable Diffusion XL.
    /// </summary>
    [ConfigName("EulerDiscreteScheduler")]
    Euler,

    /// <summary>
    /// Euler's steps, each a little too far and back again by new noise. Lively images in 20 to 30 steps that never settle; with a single
    /// one the scheduler of distilled models such as SDXL Turbo.
    /// </summary>
    [ConfigName("EulerAncestralDiscreteScheduler")]
    EulerAncestral,

    /// <summary>
    /// Euler's steps corrected by the slope at their end, so two calls of the network a step
    /// (<see href="https://arxiv.org/abs/2206.00364">Karras et al., 2022</see>, algorithm 1). For exact results, where time does not matter.
    /// </summary>
    [ConfigName("HeunDiscreteScheduler")]
    Heun,

    /// <summary>
    /// DPM-Solver++ (<see href="https://arxiv.org/abs/2211.01095">Lu et al., 2022</see>): solves what is linear exactly and the rest from the
    /// last one to three results. Good images in 15 to 25 steps: the one to take for Stable Diffusion. Its configuration also has the first
    /// DPM-Solver, the variants with noise, and Karras' noise levels.
    /// </summary>
    [ConfigName("DPMSolverMultistepScheduler")]
    DpmSolverMultistep,

    /// <summary>
    /// DPM-Solver's steps of second order with noise, "DPM++ SDE", two calls of the network a step
    /// (<see href="https://arxiv.org/abs/2211.01095">Lu et al., 2022</see>). Rich images in 10 to 15 steps, each other than the last.
    /// </summary>
    [ConfigName("DPMSolverSDEScheduler")]
    DpmSolverSde,

    /// <summary>
    /// A predictor of any order whose every step the next call of the network corrects
    /// (<see href="https://arxiv.org/abs/2302.04867">Zhao et al., 2023</see>). For very few steps, 5 to 10.
    /// </summary>
    [ConfigName("UniPCMultistepScheduler")]
    UniPc,

    /// <summary>
    /// For latent consistency models, whose network was distilled to say the image at once
    /// (<see href="https://arxiv.org/abs/2310.04378">Luo et al., 2023</see>). 1 to 8 steps, with such a model or its LoRA only.
    /// </summary>
    [ConfigName("LCMScheduler")]
    Lcm,
}
