using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Diffusion.Schedulers;

/// <summary>What a step makes.</summary>
/// <param name="Previous">The image with less noise, [N, C, H, W].</param>
/// <param name="Image">The image without noise, as the network now imagines it, [N, C, H, W]: for a preview.</param>
internal readonly record struct SchedulerStep(Tensor Previous, Tensor Image);

/// <summary>
/// The way from noise to an image, of one image or one batch: what a method remembers of earlier steps belongs to it. Begin with noise
/// times <see cref="InitialNoiseScale"/>; then, for each of <see cref="Timesteps"/>, ask the network about <see cref="ScaleModelInput"/> of
/// x, and give its answer to <see cref="Step"/>. No row of a batch sees another.
/// </summary>
internal abstract class Scheduler : IDisposable
{
    private readonly List<History> _histories = [];

    protected Scheduler(SchedulerConfig config, NoiseSchedule schedule, double[] timesteps)
    {
        Config = config;
        Schedule = schedule;
        Timesteps = timesteps;
    }

    /// <summary>The timesteps that the network is told, one a call, from high to low. Those of some schedulers lie between those of training.</summary>
    public IReadOnlyList<double> Timesteps { get; }

    /// <summary>The standard deviation of the noise to begin with.</summary>
    public virtual double InitialNoiseScale => 1;

    /// <summary>Calls of the network for one step.</summary>
    public virtual int CallsPerStep => 1;

    protected SchedulerConfig Config { get; }

    protected NoiseSchedule Schedule { get; }

    /// <summary>The first of <see cref="Timesteps"/> where only a part of the way is to be gone, as from an image to an image; as many as there are where nothing is.</summary>
    /// <param name="steps">The steps of the whole way.</param>
    /// <param name="strength">The part, from 0 to 1.</param>
    public int FirstCall(int steps, double strength) => (steps - Math.Min((int)(steps * strength), steps)) * CallsPerStep;

    /// <summary>What the network is to see of x.</summary>
    /// <param name="x">The image so far, [N, C, H, W].</param>
    /// <param name="call">Which of <see cref="Timesteps"/> it is at.</param>
    public virtual Tensor ScaleModelInput(Tensor x, int call) => x.alias();

    /// <summary>Makes a step, in float32 whatever the network computes in. A method may keep what it is given: do not change it afterwards.</summary>
    /// <param name="output">What the network says, [N, C, H, W], or [N, 2C, H, W] where it says a variance, too.</param>
    /// <param name="call">Which of <see cref="Timesteps"/> it was asked at. Calls come in order; the first may be any.</param>
    /// <param name="x">The image so far, [N, C, H, W].</param>
    /// <param name="noise">Draws new noise [N, C, H, W], each row's from its own stream. It is called where the reference draws, even where that does nothing with it.</param>
    /// <exception cref="ArgumentException">The network says another number of channels, or no variance where one is to be learned.</exception>
    public SchedulerStep Step(Tensor output, int call, Tensor x, Func<Tensor> noise)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var channels = x.shape[1];
        if (output.shape[1] != channels && output.shape[1] != 2 * channels)
            throw new ArgumentException($"The network says {output.shape[1]} channels of an image of {channels}; it must be as many, or twice as many where it says a variance.", nameof(output));
        (output, x) = (Widened(output), Widened(x));
        var variance = output.shape[1] == 2 * channels ? output.narrow(1, channels, channels) : null;
        var (previous, image) = Advance(output.narrow(1, 0, channels), variance, call, x, noise);
        // Aliases, since one may be the other, or what the caller gave.
        return new(previous.alias().MoveToOuterDisposeScope(), image.alias().MoveToOuterDisposeScope());
    }

    /// <summary>An image as it is before a call: what image-to-image begins with, and what stands outside of a mask.</summary>
    /// <param name="clean">Images [N, C, H, W].</param>
    /// <param name="noise">The noise [N, C, H, W].</param>
    /// <param name="call">Which of <see cref="Timesteps"/>.</param>
    public abstract Tensor AddNoise(Tensor clean, Tensor noise, int call);

    public void Dispose() => _histories.ForEach(history => history.Clear());

    /// <param name="output">What the network says of x, [N, C, H, W].</param>
    /// <param name="variance">What it says of the variance, [N, C, H, W], if it does.</param>
    /// <param name="call">Which of <see cref="Timesteps"/>.</param>
    /// <param name="x">[N, C, H, W].</param>
    /// <param name="noise">Draws noise.</param>
    protected abstract SchedulerStep Advance(Tensor output, Tensor? variance, int call, Tensor x, Func<Tensor> noise);

    /// <summary>A memory of so many tensors.</summary>
    protected History Remember(int count)
    {
        var history = new History(count);
        _histories.Add(history);
        return history;
    }

    private static Tensor Widened(Tensor x) => x.dtype is ScalarType.Float16 or ScalarType.BFloat16 ? x.to(ScalarType.Float32) : x;

    /// <summary>The last tensors of earlier steps, the newest first. They outlive a step's scope.</summary>
    protected sealed class History(int limit)
    {
        private readonly List<Tensor> _tensors = [];

        public int Count => _tensors.Count;

        public Tensor this[int back] => _tensors[back];

        public void Add(Tensor tensor)
        {
            _tensors.Insert(0, tensor.alias().DetachFromDisposeScope());
            if (Count > limit)
            {
                _tensors[^1].Dispose();
                _tensors.RemoveAt(limit);
            }
        }

        public void Clear()
        {
            _tensors.ForEach(tensor => tensor.Dispose());
            _tensors.Clear();
        }
    }
}
