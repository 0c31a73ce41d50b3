using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>
/// From noise to images, step by step, as diffusers' pipelines of Stable Diffusion go: words to vectors; noise, or an image with noise;
/// the U-Net's answers with and without the words (arXiv 2207.12598) to the scheduler, again and again; latents to pixels.
/// </summary>
/// <param name="network">The networks.</param>
/// <param name="tokenizer">Of a model that knows words.</param>
/// <param name="options">How images are made.</param>
/// <param name="device">Where the networks are.</param>
/// <param name="type">The type of their weights.</param>
/// <param name="prompts">What the same networks read before; null where they change from call to call.</param>
internal sealed class DiffusionSampler(DiffusionNetwork network, PromptTokenizer? tokenizer, DiffusionSamplingOptions options, Device device, ScalarType type, PromptCache? prompts = null)
{
    private static readonly Scalar s_half = 0.5;     // kept, see TensorArithmetic

    public DiffusionConfig Config => network.Config;

    /// <summary>The size of the images.</summary>
    public ImageSize Size { get; } = new(options.Height ?? network.Config.ImageSize.Height, options.Width ?? network.Config.ImageSize.Width);

    /// <summary>The scheduler, with what its model's publisher said of it.</summary>
    public SchedulerConfig Scheduler { get; } = network.Config.Scheduler with { Scheduler = options.Scheduler ?? network.Config.Scheduler.Scheduler };

    /// <summary>Whether the U-Net is asked with and without what is wanted.</summary>
    public bool Guides => options.GuidanceScale > 1 && (network.Text is not null || Config.NoClass is not null) && Config.UNet.GuidanceWidth is null;

    /// <summary>Throws for what the model cannot do, before any work.</summary>
    /// <exception cref="ArgumentException">The message names the option.</exception>
    public void Validate()
    {
        var step = network.Downscale;
        foreach (var (name, side) in new[]
        {
            (nameof(DiffusionTrainerOptions.ImageSize), Config.ImageSize.Height), (nameof(DiffusionTrainerOptions.ImageSize), Config.ImageSize.Width), ("Sampling.Height", Size.Height), ("Sampling.Width", Size.Width),
        })
        {
            if (side % step != 0)
                throw new ArgumentException($"{name} is {side}, but must be a multiple of {step}: a place of the model's latents is {step} pixels wide.", name);
        }
        if (network.Text is not null && options.ClipSkip >= network.SkippableBlocks)
            throw new ArgumentException($"Sampling.ClipSkip is {options.ClipSkip}, but must be below {network.SkippableBlocks}, the text encoder's layers{(network.SecondText is null ? "" : " without the last, which SDXL passes over anyway")}.", nameof(options.ClipSkip));
        if (options.AutoencoderTile is { } tile && tile % (AutoencoderTiles.Quarters * step) != 0)
            throw new ArgumentException($"Sampling.AutoencoderTile is {tile}, but must be a multiple of {AutoencoderTiles.Quarters * step}: a place of the model's latents is {step} pixels wide, and tiles share a quarter of theirs.", nameof(options.AutoencoderTile));
        using var _ = Scheduler.Create(Run(hasImage: false));
    }

    /// <summary>The images, [N, 3, H, W] from 0 to 1, float32.</summary>
    /// <param name="requests">All with an image, or none; all with a mask, or none.</param>
    /// <param name="noise">Of the requests' seeds.</param>
    /// <param name="report">Told after each step: which it was from 1, of how many, and what makes of it the images that they are now.</param>
    /// <param name="cancellation">Stops between steps.</param>
    /// <param name="trace">Takes <c>prompt_embeds</c>, <c>initial_latents</c>, and of each call i <c>i.unet_input</c>, <c>i.noise_pred</c>, <c>i.guided</c> and <c>i.latents</c>, and <c>decoded_raw</c>.</param>
    public Tensor Generate(IReadOnlyList<DiffusionRequest> requests, IDiffusionNoise noise, Action<int, int, Func<Tensor>>? report, CancellationToken cancellation, Trace? trace = null)
    {
        using var scope = NewDisposeScope();
        var condition = Condition(requests);
        trace?.Add("prompt_embeds", condition.Words ?? zeros(0));
        var image = Image(requests, noise, out var start);
        using var scheduler = Scheduler.Create(Run(hasImage: image is not null));
        // LCM's timesteps begin lower already.
        var first = image is null || Scheduler.Scheduler == DiffusionScheduler.Lcm ? 0 : scheduler.FirstCall(options.Steps, options.Strength);
        var calls = scheduler.Timesteps.Count;
        if (first >= calls)
            throw new ArgumentException($"Sampling.Strength of {options.Strength} leaves none of the {options.Steps} steps; raise one of the two.", nameof(options.Strength));

        var x = image is null || (image.Mask is not null && options.Strength == 1)       // [N, C, h, w]
            ? start.Mul(scheduler.InitialNoiseScale)
            : scheduler.AddNoise(image.Latents!, start, first);
        trace?.Add("initial_latents", x);
        for (var call = first; call < calls; call++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var each = NewDisposeScope();
            var output = Ask(scheduler.ScaleModelInput(Guides ? cat([x, x]) : x, call), scheduler.Timesteps[call], condition, image, trace?.In($"{call}"));
            var (previous, now) = scheduler.Step(output, call, x, () => Draw(noise));
            // Outside of the mask is the image, with as much noise as what is painted.
            if (image is { Mask: { } mask } && !network.PaintsMasks)
                previous = where(mask.ge(s_half), previous, call + 1 < calls ? scheduler.AddNoise(image.Latents!, start, call + 1) : image.Latents!);
            trace?.Add($"{call}.latents", previous);
            report?.Invoke(call + 1 - first, calls - first, () => ToPixels(now));
            using var last = x;
            x = previous.MoveToOuterDisposeScope();
        }
        return ToPixels(x, trace).MoveToOuterDisposeScope();
    }

    private SchedulerRun Run(bool hasImage) => new() { Steps = options.Steps, Eta = options.Eta, Strength = hasImage ? options.Strength : 1 };

    private Tensor Draw(IDiffusionNoise noise) => noise.Draw([0, network.Channels, Size.Height / network.Downscale, Size.Width / network.Downscale]).to(device);

    /// <summary>What the U-Net is told of what is wanted: with guidance first of what is not, [2 N, ...].</summary>
    private UNetGuidance Condition(IReadOnlyList<DiffusionRequest> requests)
    {
        Tensor? classes = null;
        if (Config.UNet.Classes is { } count)
        {
            long[] wanted = [.. requests.Select(request => request.Class is >= 0 and var number && number < count ? number
                : throw new ArgumentException(request.Class is null ? "The model makes images of classes, and a row has none; set the column of classes." : $"There is no class {request.Class}; the model knows {count}."))];
            classes = tensor(Guides ? [.. wanted.Select(own => Config.NoClass ?? own), .. wanted] : wanted, device: device);
        }
        var texts = network.Text is null ? null : PromptVectors.Join(
        [
            // As in the reference, what is not wanted goes through all layers; and nothing is zeros to an SDXL, of which it is asked.
            .. !Guides ? [] : Read(request => request.NegativePrompt, 0).Zip(requests, (vectors, request) => Config.ZerosForNothing && request.NegativePrompt == "" ? vectors.WithZeros(ones(1, ScalarType.Bool, device)) : vectors),
            .. Read(request => request.Prompt, options.ClipSkip),
        ]);
        return new()
        {
            Classes = classes,
            Words = texts?.Words,
            Text = texts?.Text,
            Sizes = Config.UNet.SizeWidth is null ? null : tensor([.. options.Sizes.Of(Size).Select(side => (float)side)], device: device).expand(texts!.Words.shape[0], -1),
            // Into a network that is distilled for it, guidance goes as a number (arXiv 2310.04378).
            Strength = Config.UNet.GuidanceWidth is { } width ? TimeEmbedding.Waves(tensor([.. requests.Select(_ => (float)(1000 * (options.GuidanceScale - 1)))], device: device), width, cosinesFirst: false, shift: 1) : null,
        };

        // A text that comes again is not read again, and each is read alone, so that its vectors are the same to the last digit whatever is
        // beside it.
        IEnumerable<PromptVectors> Read(Func<DiffusionRequest, string> text, int skip)
        {
            var vectors = requests.Select(text).Distinct().ToDictionary(one => one, one => prompts?.Of(one, skip, () => Vectors(one)) ?? Vectors(one));
            return requests.Select(request => vectors[text(request)]);

            PromptVectors Vectors(string one) => network.Read(tokenizer!.Encode(one).to(device), skip);
        }
    }

    /// <summary>The U-Net's answer about x, led away from what is not wanted.</summary>
    private Tensor Ask(Tensor x, double time, UNetGuidance condition, StartImage? image, Trace? trace)
    {
        if (image is not null && network.PaintsMasks)
            x = cat([x, Twice(image.Mask!), Twice(image.Hidden!)], 1);                  // [2 N, C + 1 + C, h, w]
        trace?.Add("unet_input", x);
        using var times = tensor(time, device: device);
        var output = network.UNet.forward(x.to(type), times.view(1), condition).to(ScalarType.Float32);
        trace?.Add("noise_pred", output);
        if (!Guides)
            return output;
        // A variance that the network tells behind its mean is not led: that of what is wanted stays as it is (diffusers' DiT and IF).
        var mean = output.narrow(1, 0, network.Channels);
        var (without, with) = (mean.chunk(2)[0], mean.chunk(2)[1]);
        var guided = without.Add((with - without).Mul(options.GuidanceScale));
        if (options.GuidanceRescale > 0)
        {
            var rescaled = guided * (Spread(with) / Spread(guided));
            guided = rescaled.Mul(options.GuidanceRescale).Add(guided.Mul(1 - options.GuidanceRescale));
        }
        guided = cat([guided, output.chunk(2)[1].narrow(1, network.Channels, output.shape[1] - network.Channels)], 1);
        trace?.Add("guided", guided);
        return guided;

        Tensor Twice(Tensor tensor) => Guides ? cat([tensor, tensor]) : tensor;

        static Tensor Spread(Tensor x) => x.std([1, 2, 3], unbiased: true, keepdim: true);
    }

    /// <summary>The images to begin with, as latents, and their masks; and the noise. All is drawn in the reference's order, so that a seed means the same.</summary>
    private StartImage? Image(IReadOnlyList<DiffusionRequest> requests, IDiffusionNoise noise, out Tensor start)
    {
        if (network.PaintsMasks && (requests[0].Image is null || requests[0].Mask is null))
            throw new ArgumentException("The model paints within masks (its U-Net reads them); set the columns of images and masks.");
        if (requests[0].Image is null)
        {
            start = Draw(noise);
            return null;
        }
        var images = Pixels(request => request.Image!).Mul(2.0).Sub(1);                 // [N, 3, H, W] from -1 to 1
        var latents = network.PaintsMasks && options.Strength == 1 ? null : Latents(images);
        start = Draw(noise);
        if (requests[0].Mask is null)
            return new(latents, null, null);
        var painted = Gray(Pixels(request => request.Mask!)).ge(s_half).to(ScalarType.Float32);      // [N, 1, H, W]
        var mask = nn.functional.interpolate(painted, [start.shape[2], start.shape[3]]);
        if (mask.flatten(1).amax([1]).le(s_half).any().item<bool>())
            throw new ArgumentException($"A mask is so small that it covers no place of the latents, each of which is {network.Downscale} pixels wide; nothing would be painted.");
        if (network.PaintsMasks)
            return new(latents, mask.to(device), Latents(images * painted.neg().Add(1)));
        if (network.Autoencoder is AutoencoderKl)
            noise.Draw(start.shape).Dispose();      // the reference encodes what is hidden for other models too
        return new(latents, mask.to(device), null);

        // As Pillow's "L".
        static Tensor Gray(Tensor rgb) => rgb.narrow(1, 0, 1).Mul(0.299).Add(rgb.narrow(1, 1, 1).Mul(0.587)).Add(rgb.narrow(1, 2, 1).Mul(0.114));

        Tensor Pixels(Func<DiffusionRequest, Tensor> image) => stack([.. requests.Select(image)]);

        Tensor Latents(Tensor images) => network.ToLatents(images.to(device).to(type), shape => noise.Draw(shape).to(device), options.AutoencoderTile).to(ScalarType.Float32);
    }

    private Tensor ToPixels(Tensor latents, Trace? trace = null)
    {
        using var scope = NewDisposeScope();
        if (!IsFinite(latents))
            throw new InvalidOperationException($"The network made numbers that are no image (NaN or infinite){(type == ScalarType.Float32 ? "" : $" in {type}; set Precision to Float32")}.");
        var raw = network.Autoencoder is null ? latents : network.ToImages(latents.to(type), options.AutoencoderTile).to(ScalarType.Float32);
        // What an autoencoder cannot tell in 16 bits is made again.
        if (type != ScalarType.Float32 && !IsFinite(raw))
        {
            Notices.Say($"The autoencoder made numbers that {type} does not have; the images are made again in float32. Set Precision to Float32 to do so from the start.", kind: nameof(DiffusionSampler));
            raw = network.ToImagesInFloat32(latents, options.AutoencoderTile);
        }
        if (!IsFinite(raw))
            throw new InvalidOperationException("The autoencoder made numbers that are no image (NaN or infinite).");
        trace?.Add("decoded_raw", raw);
        using Scalar zero = 0, one = 1;
        return raw.Div(2.0).Add(0.5).clamp(zero, one).cpu().MoveToOuterDisposeScope();

        static bool IsFinite(Tensor x) => x.isfinite().all().item<bool>();
    }

    /// <param name="Latents">[N, C, h, w]; null where nothing of them is used.</param>
    /// <param name="Mask">1 where is painted, [N, 1, h, w].</param>
    /// <param name="Hidden">The latents of the images without what is painted, for a U-Net that reads them.</param>
    private sealed record StartImage(Tensor? Latents, Tensor? Mask, Tensor? Hidden);
}
