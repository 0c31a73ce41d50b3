using System.Text.Json.Serialization;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels;

/// <summary>How a diffusion model makes an image: the same for a loaded model and for one that was trained.</summary>
public sealed class DiffusionSamplingOptions
{
    /// <summary>Steps from noise to the image, from 1 to the timesteps of the model's training (1,000, as a rule). Default 30.</summary>
    public int Steps { get; set; } = 30;

    /// <summary>Which steps are taken; null, the default, takes the scheduler that the model was published with.</summary>
    public DiffusionScheduler? Scheduler { get; set; }

    /// <summary>
    /// Classifier-free guidance (arXiv 2207.12598): how many times as far as the prompt itself would lead. 1 is the prompt alone, and half
    /// of the work; at least 1. Default 7.5. Without a prompt and a class there is nothing to be guided by.
    /// </summary>
    public double GuidanceScale { get; set; } = 7.5;

    /// <summary>How much of the contrast that guidance adds is taken back, 0 to 1 (arXiv 2305.08891, 3.4). Default 0.</summary>
    public double GuidanceRescale { get; set; }

    /// <summary>How many of the text encoder's last layers are passed over, at least 0. Default 0. Some fine-tuned models want 1.</summary>
    public int ClipSkip { get; set; }

    /// <summary>The image's height in pixels; null, the default, takes the model's. A multiple of what the model makes of one place, 8 for Stable Diffusion.</summary>
    public int? Height { get; set; }

    /// <summary>The image's width in pixels; as <see cref="Height"/>.</summary>
    public int? Width { get; set; }

    /// <summary>What Stable Diffusion XL is told of an image's sizes. By default those of the image that is made, uncropped. Other models are told nothing of it.</summary>
    public DiffusionSizes Sizes { get; set; } = new();

    /// <summary>
    /// How much of the way from noise is gone where an image comes in, above 0 to 1: 1 leaves nothing of it but, with a mask, what is not
    /// to be painted. Default 0.8. Without an image it plays no part.
    /// </summary>
    public double Strength { get; set; } = 0.8;

    /// <summary>For <see cref="DiffusionScheduler.Ddim"/>: how much of DDPM's noise is added on the way, 0 to 1. Default 0.</summary>
    public double Eta { get; set; }

    /// <summary>Images for each row, at least 1: of the row's seed and those that follow it. Default 1; more are columns with a number behind their name.</summary>
    public int ImagesPerRow { get; set; } = 1;

    /// <summary>The seed of rows that bring none. Default 0. A row's image depends on its seed alone, not on the rows beside it.</summary>
    public long Seed { get; set; }

    /// <summary>
    /// The side, in pixels, of tiles in which an autoencoder works on images that are larger, so that memory is a tile's. Null, the default,
    /// for the whole image at once: with Stable Diffusion, about 1 GB for each 512 x 512 pixels, or half of that in bfloat16. Tiles do not see
    /// beyond their edges, so that brightness may drift a little from one to the next; a quarter of their side, which they share, hides it.
    /// 512 is right for Stable Diffusion 1, and as a rule the size that a model was trained for. A multiple of four places of the latents: 32
    /// pixels for Stable Diffusion.
    /// </summary>
    public int? AutoencoderTile { get; set; }

    /// <summary>Told after each step. Not kept in model files.</summary>
    [JsonIgnore]
    public IProgress<DiffusionProgress>? Progress { get; set; }

    /// <summary>After how many steps <see cref="Progress"/> has a preview; 0, the default, never. With an autoencoder a preview takes as long as the last look at an image.</summary>
    [JsonIgnore]
    public int PreviewSteps { get; set; }

    internal DiffusionSamplingOptions Copy() => (DiffusionSamplingOptions)MemberwiseClone();

    internal void Validate()
    {
        OptionChecks.Require(Steps, Steps >= 1, "at least 1", "Sampling.Steps");
        if (Scheduler is { } scheduler)
            OptionChecks.RequireDefined(scheduler, "Sampling.Scheduler");
        OptionChecks.Require(GuidanceScale, GuidanceScale >= 1 && double.IsFinite(GuidanceScale), "at least 1 (no guidance)", "Sampling.GuidanceScale");
        OptionChecks.Require(GuidanceRescale, GuidanceRescale is >= 0 and <= 1, "from 0 to 1", "Sampling.GuidanceRescale");
        OptionChecks.Require(ClipSkip, ClipSkip >= 0, "at least 0", "Sampling.ClipSkip");
        OptionChecks.RequireAtLeast(Height, 1, "Sampling.Height");
        OptionChecks.RequireAtLeast(Width, 1, "Sampling.Width");
        Sizes.Validate();
        OptionChecks.RequireAtLeast(AutoencoderTile, 1, "Sampling.AutoencoderTile");
        OptionChecks.Require(Strength, Strength is > 0 and <= 1, "above 0 and at most 1", "Sampling.Strength");
        OptionChecks.Require(Eta, Eta is >= 0 and <= 1, "from 0 to 1", "Sampling.Eta");
        OptionChecks.Require(ImagesPerRow, ImagesPerRow is >= 1 and <= 64, "from 1 to 64", "Sampling.ImagesPerRow");
        OptionChecks.Require(PreviewSteps, PreviewSteps >= 0, "at least 0 (never)", "Sampling.PreviewSteps");
    }
}
