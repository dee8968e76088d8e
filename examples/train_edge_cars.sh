#!/bin/sh
# Makes the model that comes along, from nothing: renders, four stages of training, export.
#
#     sh examples/train_edge_cars.sh [FOLDER]      # default: work
#
# A stage that was stopped goes on when the script is started again; one that is finished is left
# alone. Set PIECE (seconds) to stop by itself after that long, for machines lent by the hour.
set -eu
work=${1:-work}
deadline=${PIECE:+$(($(date +%s) + PIECE))}

[ -e "$work/cars/dataset.json" ] ||
    posegen data render --out "$work/cars" --cars 500 --samples 5000 --seed 1

stage() {
    name=$1
    shift
    set -- --data "$work/cars" --out "$work/$name" --preset edge --viewpoint --batch-size 8 \
        --precision bf16-mixed --crops 0.2 --rough-masks 0.1 "$@"
    if [ -n "$deadline" ]; then
        left=$((deadline - $(date +%s)))
        [ "$left" -gt 0 ] || exit 0
        timeout --signal INT "$left" posegen train "$@" || exit $?
    else
        posegen train "$@"
    fi
}

# Where things are, without a discriminator, at a quarter of the pixels.
stage layout128 --image-size 128 --steps 9000 --learning-rate 1e-3 --adam-betas 0.9 0.99 \
    --lambda-gan 0 --lambda-object 10 --lambda-background 10 --ema-decay 0.998
stage layout256 --image-size 256 --steps 2500 --learning-rate 8e-4 --adam-betas 0.9 0.99 \
    --lambda-gan 0 --lambda-object 10 --lambda-background 10 --ema-decay 0.995 --seed 1 \
    --init "$work/layout128/last.safetensors"
# What they look like.
stage edge256 --image-size 256 --steps 3600 --learning-rate 4e-4 --shadowless \
    --lambda-gan 0.5 --lambda-features 5 --lambda-object 5 --lambda-background 20 \
    --ema-decay 0.998 --seed 2 --init "$work/layout256/last.safetensors"
# The same for twice as long, from the full learning rate again: lamps, wheels, panes.
stage details256 --image-size 256 --steps 7000 --learning-rate 4e-4 --shadowless \
    --lambda-gan 0.5 --lambda-features 5 --lambda-object 5 --lambda-background 20 \
    --ema-decay 0.999 --seed 3 --init "$work/edge256/last.safetensors"

rm -rf "$work/edge-cars"
posegen-export onnx "$work/details256/last.safetensors" --data "$work/cars" --name edge-cars \
    --precision fp32,fp16 --seed 10 -o "$work/edge-cars"
posegen-export int8 "$work/edge-cars" --data "$work/cars" --report "$work/int8-report"
posegen evaluate "$work/edge-cars" --data "$work/cars" --bins --sheet "$work/edge-cars.png"
