using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>How the betas, the share of noise that each timestep adds, grow.</summary>
internal enum BetaSchedule
{
    /// <summary>Evenly (arXiv 2006.11239).</summary>
    [ConfigName("linear")]
    Linear,

    /// <summary>Evenly in their roots (latent diffusion).</summary>
    [ConfigName("scaled_linear")]
    ScaledLinear,

    /// <summary>So that the image's share falls as a cosine's square (arXiv 2102.09672).</summary>
    [ConfigName("squaredcos_cap_v2")]
    Cosine,

    /// <summary>Along a sigmoid (GeoDiff).</summary>
    [ConfigName("sigmoid")]
    Sigmoid,

    /// <summary>So that the image's share falls as an exponential.</summary>
    [ConfigName("exp")]
    Exponential,
}

/// <summary>
/// The forward process: at timestep t an image x₀ has become xₜ = √ᾱₜ x₀ + √(1 - ᾱₜ) ε, where ᾱₜ is the product of 1 - β up to t. In
/// float32, as the reference computes it. Training needs this alone; to go back is the business of a <see cref="Scheduler"/>.
/// </summary>
internal sealed class NoiseSchedule
{
    // No beta of a formula is larger, and no ᾱ from which noise levels are computed is smaller: the smallest number of half precision.
    private const double MaxBeta = 0.999;
    private const float LeastAlpha = 1f / (1 << 24);

    private NoiseSchedule(float[] betas)
    {
        Betas = betas;
        AlphasCumprod = Products(betas);
        Sigmas = [.. AlphasCumprod.Select(alpha => alpha == 0 ? LeastAlpha : alpha).Select(alpha => MathF.Sqrt((1 - alpha) / alpha))];
    }

    /// <summary>βₜ.</summary>
    public float[] Betas { get; }

    /// <summary>ᾱₜ.</summary>
    public float[] AlphasCumprod { get; }

    /// <summary>The noise in relation to the image, √((1 - ᾱₜ) / ᾱₜ); finite where there is nothing but noise.</summary>
    public float[] Sigmas { get; }

    public int Count => Betas.Length;

    /// <summary>The schedule of a configuration.</summary>
    public static NoiseSchedule Of(SchedulerConfig config)
    {
        var (count, start, end) = (config.TrainingSteps, config.BetaStartOrDefault, config.BetaEndOrDefault);
        float[] betas = config switch
        {
            { TrainedBetas: { } trained } => [.. trained.Select(beta => (float)beta)],
            { BetaScheduleOrDefault: BetaSchedule.Linear } => Evenly(start, end, count),
            { BetaScheduleOrDefault: BetaSchedule.ScaledLinear } => [.. Evenly(Math.Sqrt(start), Math.Sqrt(end), count).Select(root => root * root)],
            { BetaScheduleOrDefault: BetaSchedule.Sigmoid } => [.. Evenly(-6, 6, count).Select(x => 1 / (1 + MathF.Exp(-x)) * (float)(end - start) + (float)start)],
            { BetaScheduleOrDefault: BetaSchedule.Cosine } => OfShares(count, t => Math.Pow(Math.Cos((t + 0.008) / 1.008 * Math.PI / 2), 2)),
            _ => OfShares(count, t => Math.Exp(-12 * t)),
        };
        return new(config.ZeroTerminalSnr ? ToZero(betas) : betas);
    }

    /// <summary>
    /// Numbers that lie evenly between two: torch.linspace in float32, as the reference's processor rounds it (eight at a time from a fused
    /// product, and those that fill no sixteen by themselves), whatever this one is. Where a schedule is rescaled to end with nothing but
    /// noise, the last bit of a β decides over the fifth digit of the last ones.
    /// </summary>
    public static float[] Evenly(double first, double last, int count)
    {
        var (start, end) = ((float)first, (float)last);
        var step = (end - start) / (count - 1);
        return [.. Enumerable.Range(0, count).Select(i => i < count / 16 * 16 ? At(i / 8 * 8) + step * (i % 8) : At(i))];

        float At(int i) => i < count / 2 ? MathF.FusedMultiplyAdd(step, i, start) : MathF.FusedMultiplyAdd(-step, count - 1 - i, end);
    }

    /// <summary>How much of image and noise there is at a timestep.</summary>
    public NoiseLevel At(int timestep) => NoiseLevel.OfAlphaCumprod(AlphasCumprod[timestep]);

    /// <summary>Images with noise, √ᾱₜ x₀ + √(1 - ᾱₜ) ε.</summary>
    /// <param name="clean">Images [N, ...].</param>
    /// <param name="noise">The noise [N, ...].</param>
    /// <param name="timesteps">The timestep of each [N] int64.</param>
    public Tensor AddNoise(Tensor clean, Tensor noise, Tensor timesteps)
    {
        var (alpha, sigma) = Levels(timesteps, clean);
        return (alpha * clean).Add(sigma * noise);
    }

    /// <summary>What a network that predicts the velocity is to say, √ᾱₜ ε - √(1 - ᾱₜ) x₀.</summary>
    /// <inheritdoc cref="AddNoise"/>
    public Tensor Velocity(Tensor clean, Tensor noise, Tensor timesteps)
    {
        var (alpha, sigma) = Levels(timesteps, clean);
        return alpha * noise - sigma * clean;
    }

    /// <summary>The signal-to-noise ratio of each timestep, ᾱₜ / (1 - ᾱₜ), [N] float32, by which losses are weighted (arXiv 2303.09556).</summary>
    public Tensor SignalToNoise(Tensor timesteps)
    {
        var alphas = AlphasAt(timesteps, timesteps.device);
        return alphas / OneMinus(alphas);
    }

    private (Tensor Alpha, Tensor Sigma) Levels(Tensor timesteps, Tensor like)
    {
        var alphas = AlphasAt(timesteps, like.device);
        long[] shape = [-1, .. Enumerable.Repeat(1L, (int)like.dim() - 1)];
        return (alphas.sqrt().view(shape).to(like.dtype), OneMinus(alphas).sqrt().view(shape).to(like.dtype));
    }

    private Tensor AlphasAt(Tensor timesteps, Device device) => tensor(AlphasCumprod, device: device).index_select(0, timesteps.to(device));

    private static Tensor OneMinus(Tensor x) => x.neg().Add(1);

    /// <summary>The products of 1 - β up to each timestep; in double, of which each is rounded.</summary>
    private static float[] Products(float[] betas)
    {
        var product = 1.0;
        return [.. betas.Select(beta => (float)(product *= 1 - beta))];
    }

    /// <summary>The betas of which the image's share, a function of the time from 0 to 1, is the product.</summary>
    private static float[] OfShares(int count, Func<double, double> share) =>
        [.. Enumerable.Range(0, count).Select(t => (float)Math.Min(1 - share((t + 1) / (double)count) / share(t / (double)count), MaxBeta))];

    /// <summary>The betas after which √ᾱ is shifted and stretched so that the last is zero and the first as before (arXiv 2305.08891, algorithm 1).</summary>
    private static float[] ToZero(float[] betas)
    {
        float[] roots = [.. Products(betas).Select(MathF.Sqrt)];
        var (last, stretch) = (roots[^1], roots[0] / (roots[0] - roots[^1]));
        float[] products = [.. roots.Select(root => (root - last) * stretch).Select(root => root * root)];
        return [.. products.Select((product, t) => 1 - (t == 0 ? product : product / products[t - 1]))];
    }
}
