using Microsoft.ML.Data;
using Microsoft.ML.VisionModels.Core;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Evaluation;

public sealed class FrechetDistanceTests
{
    private readonly MLContext _context = new(seed: 1);

    /// <summary>Of distributions along the axes: the squares of the means' and of the deviations' differences, coordinate by coordinate.</summary>
    [Fact]
    public void OfNormalDistributionsItIsWhatTheirMeansAndDeviationsSay()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var x = Whitened(randn([500, 3], generator: generator));
        var (first, second) = (x * tensor(new[] { 1f, 2f, 0.5f }), (x * tensor(new[] { 3f, 2f, 1f })).Add(tensor(new[] { 1f, 0f, -2f })));
        Assert.Equal(1 + 4 + 4 + 0 + 0.25, Distance(first, second), 1e-3);
        Assert.Equal(0, Distance(first, first), 1e-4);
        // The same in other axes, where the covariances do not commute with a diagonal.
        var (turn, _) = linalg.qr(randn([3, 3], generator: generator));
        Assert.Equal(9.25, Distance(first.matmul(turn), second.matmul(turn)), 1e-3);
    }

    /// <summary>Two matrices that do not commute: the trace of the root of their product, by its eigenvalues in closed form.</summary>
    [Fact]
    public void CovariancesNeedNotShareTheirAxes()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var x = Whitened(randn([400, 2], generator: generator));
        var (first, second) = (tensor(new[,] { { 2f, 0f }, { 1f, 1f } }), tensor(new[,] { { 1f, 3f }, { 0f, 1f } }));
        double[,] a = { { 5, 1 }, { 1, 1 } }, b = { { 1, 3 }, { 3, 10 } };                  // first' first, second' second
        var (trace, determinant) = (a[0, 0] * b[0, 0] + 2 * a[0, 1] * b[0, 1] + a[1, 1] * b[1, 1], (a[0, 0] * a[1, 1] - 1) * (b[0, 0] * b[1, 1] - 9));
        var root = Math.Sqrt(trace + 2 * Math.Sqrt(determinant));                           // tr M^(1/2) of a 2 x 2 matrix
        Assert.Equal(a[0, 0] + a[1, 1] + b[0, 0] + b[1, 1] - 2 * root, Distance(x.matmul(first), x.matmul(second)), 1e-3);
    }

    [Fact]
    public void WhatCannotBeMeasuredIsSaid()
    {
        Assert.Contains("two rows", Assert.Throws<InvalidOperationException>(() => _context.Vision().FrechetDistance(View([[1, 2]]), View([[1, 2], [2, 1]]))).Message);
        Assert.Contains("Row 1", Assert.Throws<InvalidOperationException>(() => _context.Vision().FrechetDistance(View([[1, 2], [float.NaN, 1]]), View([[1, 2], [2, 1]]))).Message);
        Assert.Contains("vectors of 3", Assert.Throws<ArgumentException>(() => _context.Vision().FrechetDistance(View([[1, 2], [2, 1]]), View([[1, 2, 3], [2, 1, 3]]))).Message);
        Assert.Contains("Nowhere", Assert.Throws<ArgumentException>(() => _context.Vision().FrechetDistance(View([[1, 2], [2, 1]]), View([[1, 2], [2, 1]]), "Nowhere")).Message);
    }

    /// <summary>Moved and turned so that the mean is 0 and the covariance one.</summary>
    private static Tensor Whitened(Tensor x)
    {
        var (u, _, _) = linalg.svd(x - x.mean([0], keepdim: true), fullMatrices: false);
        return u * tensor(Math.Sqrt(x.shape[0] - 1)).to(float32);
    }

    private double Distance(Tensor first, Tensor second) => _context.Vision().FrechetDistance(View(Rows(first)), View(Rows(second)));

    private static float[][] Rows(Tensor x) => [.. Enumerable.Range(0, (int)x.shape[0]).Select(i => x[i].data<float>().ToArray())];

    private IDataView View(float[][] rows)
    {
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Embedding)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, rows[0].Length);
        return _context.Data.LoadFromEnumerable(rows.Select(row => new Row { Embedding = row }).ToList(), schema);
    }

    private sealed class Row
    {
        public float[] Embedding { get; set; } = [];
    }
}
