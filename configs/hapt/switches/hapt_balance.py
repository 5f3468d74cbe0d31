# HAPT: negatives are divided by their own number
_base_ = ['../../cltdr_hapt.py']
model = dict(head=dict(balance_negatives=True))
