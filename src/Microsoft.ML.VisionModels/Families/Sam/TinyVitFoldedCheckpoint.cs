using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Sam;

/// <summary>
/// A file as if it had each batch norm folded into the convolution before it. In inference a batch norm is a factor and an offset for
/// each channel, and these can be the convolution's own: of <c>x.c.weight</c> and <c>x.bn.*</c> become <c>x.c.weight</c> and
/// <c>x.c.bias</c>, computed in double precision. All other tensors, and those of a file without batch norms, stay as they are.
/// </summary>
internal sealed class TinyVitFoldedCheckpoint : Checkpoint
{
    private const double Eps = 1e-5;
    private const string Weight = ".c.weight", Bias = ".c.bias", Norm = ".bn.";

    private static readonly string[] s_statistics = ["weight", "bias", "running_mean", "running_var"];

    private readonly Checkpoint _file;
    private readonly OrderedDictionary<string, TensorInfo> _tensors = [];
    private readonly HashSet<string> _folded = [];

    /// <param name="file">Stays the caller's.</param>
    /// <exception cref="CheckpointException">A part of a batch norm is missing or has not a number for each channel.</exception>
    public TinyVitFoldedCheckpoint(Checkpoint file) : base(file.Path)
    {
        _file = file;
        var tensors = file.Tensors;
        _folded.UnionWith(tensors.Values.Where(info => info.Shape.Count == 4).Select(info => Before(info.Name, Weight)).OfType<string>()
            .Where(layer => !tensors.ContainsKey(layer + Bias) && s_statistics.Any(name => tensors.ContainsKey(layer + Norm + name))));

        var problems = new List<string>();
        var batchNorms = new HashSet<string>();
        foreach (var layer in _folded)
        {
            var expected = tensors[layer + Weight].Shape.Take(1);
            problems.AddRange(s_statistics.Select(name => layer + Norm + name).Select(name =>
                !tensors.TryGetValue(name, out var info) ? $"\n  missing: '{name}' {expected.Text()}"
                : !info.Shape.SequenceEqual(expected) ? $"\n  mis-shaped: '{name}' is {info.Shape.Text()}, expected {expected.Text()}"
                : null).OfType<string>());
            batchNorms.UnionWith([.. s_statistics.Select(name => layer + Norm + name), layer + Norm + "num_batches_tracked"]);
        }
        if (problems.Count > 0)
            throw new CheckpointException($"{Path} has batch norms that do not fit their convolutions:{string.Concat(problems)}");

        foreach (var (name, info) in tensors.Where(tensor => !batchNorms.Contains(tensor.Key)))
        {
            _tensors.Add(name, info);
            if (Before(name, Weight) is { } layer && _folded.Contains(layer))
                _tensors.Add(layer + Bias, new(layer + Bias, info.Type, [info.Shape[0]]));
        }
    }

    public override IReadOnlyDictionary<string, TensorInfo> Tensors => _tensors;

    private protected override void Fill(Tensor target, TensorInfo info)
    {
        var layer = Before(info.Name, Weight) ?? Before(info.Name, Bias);
        if (layer is null || !_folded.Contains(layer))
            _file.CopyTo(info.Name, target);
        else
            target.copy_((info.Name.EndsWith(Weight, StringComparison.Ordinal) ? FoldedWeight(layer) : FoldedBias(layer)).view(target.shape));
    }

    private Tensor FoldedWeight(string layer) => Read64(layer + Weight).mul(Factor(layer).view(-1, 1, 1, 1));

    private Tensor FoldedBias(string layer) => Read64(layer + Norm + "bias").sub(Read64(layer + Norm + "running_mean").mul(Factor(layer)));

    private Tensor Factor(string layer) => Read64(layer + Norm + "weight").div(Read64(layer + Norm + "running_var").Add(Eps).sqrt());

    private Tensor Read64(string name) => _file.Read(name).to(ScalarType.Float64);

    private static string? Before(string name, string ending) => name.EndsWith(ending, StringComparison.Ordinal) ? name[..^ending.Length] : null;

    protected override void Dispose(bool disposing)
    {
    }
}
